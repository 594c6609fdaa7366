import { describe, expect, it } from "vitest";
import { poolerPod } from "../../infra/database/poolerPod";

const pod = poolerPod({
  images: { pgbouncer: "pgbouncer:1", haproxy: "haproxy:1", exporter: undefined },
  cluster: { name: "blue", namespace: "ms5-database", members: 3 },
  accountName: "pooler",
  clientConnections: 1_000,
  startsWith: { "ms5.io/start": "abc" },
});

describe("the pooler's pod", () => {
  it("is this, whole", () => {
    expect(pod).toMatchSnapshot();
  });

  it("has more memory for more clients", () => {
    const limit = (clientConnections: number) => {
      const { spec } = poolerPod({
        images: { pgbouncer: "", haproxy: "", exporter: undefined },
        cluster: { name: "blue", namespace: "ms5-database", members: 3 },
        accountName: "pooler",
        clientConnections,
        startsWith: {},
      }) as unknown as { spec: { containers: { resources: { limits: { memory: string } } }[] } };
      return spec.containers[0]?.resources.limits.memory;
    };
    expect(limit(1_000)).toBe("104Mi");
    expect(limit(10_000)).toBe("806Mi");
  });
});
