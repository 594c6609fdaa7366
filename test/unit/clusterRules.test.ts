import { describe, expect, it } from "vitest";
import { loadConfig } from "../../infra/config";
import { azureNeeds } from "../support/azureConfig";

/** Keys below `ms5-timescale:` of stack `cluster`. */
const load = (config: Record<string, object>, env: Record<string, string> = {}) =>
  loadConfig(
    "cluster",
    Object.fromEntries(
      Object.entries(config).map(([key, value]) => [`ms5-timescale:${key}`, JSON.stringify(value)]),
    ),
    env,
  );

describe("a database in pods", () => {
  it("is made where the platform is a Kubernetes, and nowhere else", () => {
    expect(load({}).cluster).toMatchObject({ members: 3, silence: 3, pooler: { replicas: 2 } });
    const azure = { "ms5-timescale:azure": JSON.stringify(azureNeeds) };
    expect(loadConfig("prod", azure).cluster).toMatchObject({ members: 3 });
    expect(loadConfig("local", {}).cluster).toBeUndefined();
    expect(loadConfig("prod", { "ms5-timescale:platform": "none" }).cluster).toBeUndefined();
  });

  it("is reached through the pod that is the primary, as the administrator", () => {
    const { target } = load({ kubernetes: { kubeconfig: "k", context: "c" } }).database;
    expect(target).toMatchObject({
      host: "localhost",
      user: "ms5_admin",
      pod: {
        kubeconfig: "k",
        context: "c",
        namespace: "ms5-database",
        labels: { "ms5.io/cluster": "blue", role: "primary" },
      },
    });
    expect(target).not.toHaveProperty("password");
  });

  it("takes settings as an object, from an environment variable too", () => {
    const written = load({ cluster: { parameters: { jit: "on" } } }).cluster?.parameters;
    expect(written).toEqual({ jit: "on" });
    const fromEnv = load({}, { MS5_CLUSTER_PARAMETERS: '{"jit": "on"}' }).cluster?.parameters;
    expect(fromEnv).toEqual({ jit: "on" });
  });

  it.each<[string, Record<string, object>, RegExp]>([
    [
      "a setting that PostgreSQL does not have",
      { cluster: { parameters: { work_men: "8MB" } } },
      /cluster\.parameters\.work_men.*no such setting/,
    ],
    [
      "a setting that is decided elsewhere",
      { cluster: { parameters: { port: "1" } } },
      /cluster\.parameters\.port.*not for the config/,
    ],
    [
      "memory beyond the pod",
      { cluster: { parameters: { work_mem: "4GB" } } },
      /cluster\.memory.*is killed at 2048 MiB/,
    ],
    ["a quantity that is none", { cluster: { memory: "lots" } }, /cluster\.memory.*e\.g\. 4Gi/],
    [
      "more pooled connections than the server has",
      { pooler: { serverConnections: 150 } },
      /pooler\.serverConnections/,
    ],
    [
      "a server besides the one that is made",
      { database: { host: "db.example" } },
      /database\.host.*makes a database of its own/,
    ],
    ["an address that is none", { kubernetes: { apiServer: ["api"] } }, /kubernetes\.apiServer/],
  ])("refuses %s", (_, config, message) => {
    expect(() => load(config)).toThrow(message);
  });
});
