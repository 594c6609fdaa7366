import { describe, expect, it } from "vitest";
import {
  memberHosts,
  primaryHost,
  replicaHost,
  serverDnsNames,
  serviceDnsNames,
} from "../../infra/database/clusterAddress";

const blue = { name: "blue", namespace: "ms5-database", members: 3 };

describe("a cluster's address", () => {
  it("has each member, the primary and the replicas", () => {
    expect(memberHosts(blue)).toEqual([
      "blue-0.blue-members.ms5-database.svc.cluster.local",
      "blue-1.blue-members.ms5-database.svc.cluster.local",
      "blue-2.blue-members.ms5-database.svc.cluster.local",
    ]);
    expect(primaryHost(blue)).toBe("blue-primary.ms5-database.svc");
    expect(replicaHost({ ...blue, name: "green" })).toBe("green-replica.ms5-database.svc");
  });

  it("is in the certificate, under every name that anybody connects to", () => {
    const names = serverDnsNames(blue);
    for (const host of [primaryHost(blue), replicaHost(blue), "blue-primary", "localhost"]) {
      expect(names).toContain(host);
    }
    const [member] = memberHosts(blue);
    // A wildcard stands for one label.
    expect(names).toContain(member?.replace(/^[^.]+/, "*"));
    expect(new Set(names).size).toBe(names.length);
  });
});

it("a Service has four names", () => {
  expect(serviceDnsNames("pooler", "ms5-pooler")).toEqual([
    "pooler",
    "pooler.ms5-pooler",
    "pooler.ms5-pooler.svc",
    "pooler.ms5-pooler.svc.cluster.local",
  ]);
});
