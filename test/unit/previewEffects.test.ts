import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { byEffect } from "../../infra/database/postgresSettings";
import type { PropertyChange, ResourceModel } from "../../ops/engine/events";
import { projectRoot } from "../../ops/paths";
import { fewer, kept, resumed, shorter, smaller, takesAway } from "../../ops/preview/conditions";
import { type EffectRow, effects, podLossSeconds, switchoverSeconds } from "../../ops/preview/effectRow";
import { clientsLine, clientsWill, type Prediction, predict, worstFirst } from "../../ops/preview/effects";
import { effectTable } from "../../ops/preview/effectTable";
import { modelOf, resource, resultOf, stackResource } from "./previewModel";

const statefulSet = "kubernetes:apps/v1:StatefulSet";
const deployment = "kubernetes:apps/v1:Deployment";
const claim = "kubernetes:core/v1:PersistentVolumeClaim";
const policy = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const grant = "postgresql:index/grant:Grant";
const retention = "ms5:schema:RetentionPolicy";
const storage = "spec.resources.requests.storage";
const cluster = "azure-native:containerservice:ManagedCluster";
const pool = "azure-native:containerservice:AgentPool";

function predictionOf(one: ResourceModel): Prediction {
  const [prediction, ...more] = predict(modelOf([one]));
  expect(more).toEqual([]);
  if (prediction === undefined) throw new Error(`nothing is predicted of ${one.name}`);
  return prediction;
}

function updated(
  type: string,
  name: string,
  property: string,
  before?: unknown,
  after?: unknown,
): Prediction {
  const change = {
    property,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
  return predictionOf(resource("update", type, name, [change]));
}

describe("what clients see of an update", () => {
  it.each([
    ["ms5:database:Rollout", "blue", "settingsThatReload.work_mem", "16MB", "32MB", "none"],
    ["ms5:database:Rollout", "blue", "settingsThatRestart.shared_buffers", "8GB", "12GB", "stall"],
    ["ms5:database:Rollout", "blue", "pods", "a", "b", "stall"],
    ["ms5:database:Rollout", "blue", "passwordVersion", 1, 2, "none"],
    [statefulSet, "blue", "spec.template.spec.containers[0].image", "a", "b", "none"],
    [statefulSet, "blue", "spec.replicas", 3, 5, "none"],
    [statefulSet, "green", "spec.replicas", 5, 3, "stall"],
    [claim, "data-blue-0", storage, "100Gi", "200Gi", "none"],
    [deployment, "pooler", "spec.template.metadata.annotations.ms5.io/start", "a", "b", "reconnect"],
    [deployment, "pooler", "spec.replicas", 3, 2, "reconnect"],
    [deployment, "pooler", "spec.replicas", 2, 3, "none"],
    ["kubernetes:core/v1:ConfigMap", "pooler-config", "data.pgbouncer.ini", "a", "b", "none"],
    ["kubernetes:core/v1:Secret", "blue-server-tls", "stringData.tls.crt", "[secret]", "[secret]", "none"],
    ["kubernetes:core/v1:Namespace", "ms5-database", "metadata.labels.a", undefined, "b", "none"],
    [policy, "pooler-client-to-pooler", "spec.ingress", [1, 2], [2], "outage"],
    [policy, "pooler-client-to-pooler", "spec.ingress", [1, 2], [2, 1, 3], "none"],
    [policy, "pooler-client-to-pooler", "spec.ingress[0].ports[0].port", 6432, 6433, "outage"],
    ["postgresql:index/role:Role", "ms5_writer", "password", "[secret]", "[secret]", "reconnect"],
    [grant, "writer-adds-telemetry", "privileges", ["INSERT", "SELECT"], ["SELECT"], "read-only"],
    [grant, "reader-reads-tables", "objects", ["a", "b"], ["a"], "outage"],
    [grant, "reader-reads-tables", "objects", ["a"], ["a", "b"], "none"],
    ["ms5:schema:Hypertable", "metric_hist", "chunkInterval", "1 day", "7 days", "none"],
    ["ms5:schema:Hypertable", "metric_hist", "columnstore", { orderBy: "ts" }, undefined, "none"],
    ["ms5:schema:Migrations", "migrations", "files.0010-a.sql", undefined, "ab", "stall"],
    ["ms5:schema:Server", "server", "engineVersion", "1", "2", "none"],
    [cluster, "aks", "kubernetesVersion", "1.34", "1.35", "stall"],
    [cluster, "aks", "networkProfile.podCidr", "a", "b", "outage"],
    [cluster, "aks", "apiServerAccessProfile.authorizedIPRanges", ["a"], ["b"], "none"],
    [cluster, "aks", "agentPoolProfiles[0].vmSize", "a", "b", "stall"],
    [cluster, "aks", "agentPoolProfiles[0].count", 2, 3, "none"],
    [pool, "database", "orchestratorVersion", "1.34", "1.35", "stall"],
    [pool, "database", "count", 3, 2, "stall"],
    [pool, "database", "count", 3, 4, "none"],
    [pool, "database", "upgradeSettings.maxSurge", "1", "33%", "none"],
    ["azure-native:storage:StorageAccount", "backups", "sku.name", "Standard_ZRS", "Standard_GZRS", "none"],
    ["azure-native:consumption:Budget", "budget", "amount", 1000, 2000, "none"],
    ["azure-native:network:Subnet", "nodes", "addressPrefix", "a", "b", "none"],
    ["azure-native:resources:ResourceGroup", "all", "tags.owner", "a", "b", "none"],
  ] as const)("%s %s, %s: %j → %j: %s", (type, name, property, before, after, effect) => {
    expect(updated(type, name, property, before, after)).toMatchObject({ effect, known: true });
  });

  it("is one thing for each field that does another thing", () => {
    const rollout = resource("update", "ms5:database:Rollout", "blue", [
      { property: "settingsThatRestart.max_connections", before: "200", after: "300" },
      { property: "settingsThatRestart.shared_buffers", before: "8GB", after: "12GB" },
      { property: "revision", before: "a", after: "b" },
    ]);
    const predictions = predict(modelOf([rollout]));
    expect(predictions.map(({ effect, changes }) => [effect, changes.length])).toEqual([
      ["stall", 2],
      ["none", 1],
    ]);
  });

  it("follows PostgreSQL's own word on which settings wait for a restart", () => {
    const { settingsThatReload, settingsThatRestart } = byEffect({ work_mem: "16MB", max_connections: 200 });
    const effectOf = (inputs: string, settings: object) =>
      Object.keys(settings).map((name) => [
        name,
        updated("ms5:database:Rollout", "blue", `${inputs}.${name}`).effect,
      ]);
    expect(effectOf("settingsThatReload", settingsThatReload)).toEqual([["work_mem", "none"]]);
    expect(effectOf("settingsThatRestart", settingsThatRestart)).toEqual([["max_connections", "stall"]]);
  });
});

describe("what is lost", () => {
  it.each([
    ["replace", claim, "data-blue-0"],
    ["delete", claim, "data-blue-0"],
    ["replace", "kubernetes:core/v1:Namespace", "ms5-database"],
    ["delete", "ms5:schema:Migrations", "migrations"],
    ["delete", "ms5:schema:ContinuousAggregate", "metric_daily_aggregate"],
    ["replace", cluster, "aks"],
    ["delete", "azure-native:resources:ResourceGroup", "all"],
    ["replace", "azure-native:storage:StorageAccount", "backups"],
    ["delete", "azure-native:storage:BlobContainer", "backups"],
    ["replace", "azure-native:keyvault:Vault", "vault"],
    ["delete", "azure-native:containerregistry:Registry", "images"],
  ] as const)("with %s of %s", (op, type, name) => {
    expect(predictionOf(resource(op, type, name)).loses).toBeDefined();
  });

  it("is what a shorter retention deletes, not what a longer one keeps", () => {
    expect(updated(retention, "a", "dropAfter", "90 days", "30 days").loses).toContain("older than {after}");
    expect(updated(retention, "a", "dropAfter", "30 days", "1 year").loses).toBeUndefined();
    expect(updated(retention, "a", "schedule", "1 day", "2 days").loses).toBeUndefined();
    expect(updated(retention, "a", "schedule", "paused", "1 day").loses).toBeDefined();
    const created = [{ property: "dropAfter", after: "30 days" }];
    expect(predictionOf(resource("create", retention, "a", created)).loses).toContain("older than {after}");
  });

  it("is nothing where the volume outlives the stack", () => {
    const gone = predictionOf(resource("delete", claim, "data-blue-2", [], { kept: true }));
    expect(gone).toMatchObject({ effect: "none", loses: undefined });
  });
});

describe("what the table does not know", () => {
  it.each([
    ["update", "stall"],
    ["replace", "outage"],
    ["delete", "outage"],
  ] as const)("%s is unknown, at worst %s", (op, effect) => {
    const diff = [{ property: "size", before: 1, after: 2 }];
    expect(predictionOf(resource(op, "acme:x:Thing", "thing", diff))).toMatchObject({ known: false, effect });
  });

  it("of a kind that it knows is unknown too", () => {
    expect(updated(statefulSet, "blue", "spec.minReadySeconds", 0, 9).known).toBe(false);
    expect(updated(deployment, "somebodys", "spec.template.spec", "a", "b").known).toBe(false);
  });

  it("is nothing to be afraid of where it is new", () => {
    expect(predictionOf(resource("create", "acme:x:Thing", "thing"))).toMatchObject({
      known: true,
      effect: "none",
    });
  });

  it("is none of the kinds we deploy, but for those listed here", () => {
    const golden = ["cluster", "dev", "prod"].map((stack) =>
      readFileSync(join(projectRoot, "test", "stack", "golden", `${stack}.yaml`), "utf8"),
    );
    const types = new Set(
      golden.flatMap((text) => [...text.matchAll(/^(\S+:\S+:\w+) \S.*:$/gm)].map(([, type]) => type)),
    );
    expect(types).toContain("ms5:database:Rollout");
    const typeOnly = (row: EffectRow) => new RegExp(`^${row.type.replaceAll("*", ".*")}$`);
    const unknown = [...types].filter(
      (type = "") => !isComponent(type) && !effectTable.some((row) => typeOnly(row).test(type)),
    );
    // Nobody has tried what clients see when these change.
    const untried = [
      "azure-native:managedidentity:UserAssignedIdentity",
      "azure-native:network:NetworkSecurityGroup",
      "kubernetes:core/v1:ServiceAccount",
      "kubernetes:rbac.authorization.k8s.io/v1:Role",
      "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
      "pulumi:pulumi:Stack",
    ];
    expect(unknown.filter((type = "") => !untried.includes(type))).toEqual([]);
  });

  function isComponent(type: string): boolean {
    return type.startsWith("ms5:") && !effectTable.some((row) => row.type === type);
  }
});

describe("what is not predicted of", () => {
  it("is a stack that is not there yet: it has no clients", () => {
    const resources = [stackResource("create"), resource("replace", claim, "data-blue-0")];
    expect(predict(modelOf(resources))).toEqual([]);
  });

  it("is a component, which only groups others", () => {
    const urn = "urn:pulumi:prod::ms5::ms5:database:Cluster::blue";
    expect(predict(modelOf([resource("delete", "ms5:database:Cluster", "blue", [], { urn })]))).toEqual([]);
  });

  it("is what stays the same", () => {
    expect(predict(modelOf([resource("same", claim, "data-blue-0")]))).toEqual([]);
  });
});

describe("in a few words", () => {
  const of = (...ones: ResourceModel[]) => clientsWill(predict(modelOf(ones)));
  const none = resource("update", "ms5:database:Rollout", "blue", [{ property: "revision" }]);
  const stall = resource("update", "ms5:database:Rollout", "green", [{ property: "pods" }]);
  const unknown = resource("update", "acme:x:Thing", "thing", [{ property: "a" }]);

  it("the worst counts", () => {
    expect(of(none)).toBe("clients will not notice");
    expect(of(none, stall)).toBe(`clients will see a short stall (≤ ${switchoverSeconds} s)`);
    expect(of(stall, resource("replace", statefulSet, "blue"))).toBe("clients will see an outage");
    expect(of(stall, resource("delete", grant, "writer-a"))).toBe("clients will not be able to write");
    expect(of(resource("update", deployment, "pooler", [{ property: "spec.template.a" }]))).toBe(
      "clients will have to reconnect",
    );
  });

  it("a stall of unknown length is worse than any that is known", () => {
    const migrations = resource("update", "ms5:schema:Migrations", "migrations", [{ property: "files.a" }]);
    expect(of(stall, migrations)).toBe("clients may see a stall");
    expect(worstFirst(predict(modelOf([stall, migrations])))[0]?.resource).toBe(migrations);
  });

  it("ends the report on a preview, where there is something to say", () => {
    const [changed, first] = [modelOf([stall]), modelOf([stackResource("create"), stall])];
    const unchanged = modelOf([resource("same", claim, "data-blue-0")]);
    const line = (model: typeof changed, more = {}) => clientsLine(resultOf(model, more), model);
    expect(line(changed)).toBe(`\nClients will see a short stall (≤ ${switchoverSeconds} s).\n`);
    expect(line(first)).toBe("");
    const gone = modelOf([resource("delete", claim, "data-blue-0")]);
    expect(line(gone)).toBe("\nClients will see an outage; data is deleted.\n");
    expect(line(unchanged)).toBe("");
    expect(line(changed, { operation: "up" })).toBe("");
    expect(line(changed, { result: "failed" })).toBe("");
  });

  it("what is unknown is said", () => {
    expect(of(stall, unknown)).toMatch(
      /^clients will see a short stall .*, as far as is known: 1 change is not/,
    );
    expect(of(unknown)).toMatch(/^what clients will see is unknown/);
  });
});

describe("the table of effects", () => {
  /** Changes that a row is about, made of its own patterns. */
  function samples(row: EffectRow): ResourceModel[] {
    const property = (row.property ?? "any").replace(/\.\*\*$/, ".below").replaceAll("*", "0");
    const name = (row.names?.[0] ?? "some").replaceAll("*", "some");
    const type = row.type.replaceAll("*", "Some");
    const more = row.when === kept ? { kept: true } : {};
    return row.ops.flatMap((op) =>
      values(row).map((value) => resource(op, type, name, [{ property, ...value }], more)),
    );
  }

  function values({ when }: EffectRow): Partial<PropertyChange>[] {
    if (when === shorter) return [{ before: "2 days", after: "1 day" }];
    if (when === fewer) return [{ before: 2, after: 1 }];
    if (when === smaller) return [{ before: "2Gi", after: "1Gi" }];
    if (when === takesAway) return [{ before: [1], after: [] }];
    if (when === resumed) return [{ before: "paused", after: "1 day" }];
    // What the rows with conditions leave over.
    return [{ before: "1 day", after: "2 days" }, { before: 1, after: 2 }, { after: "new" }];
  }

  it("has no row that those before it make useless", () => {
    const useless = effectTable.filter(
      (row) =>
        !samples(row).some((sample) =>
          predict(modelOf([sample])).some(
            ({ what, why, effect }) => what === row.what && why === row.why && effect === row.effect,
          ),
        ),
    );
    expect(useless).toEqual([]);
  });

  it("gives a length to stalls only, and a reason to everything", () => {
    for (const { effect, seconds, what, why } of effectTable) {
      expect(effects).toContain(effect);
      if (seconds !== undefined) expect(effect).toBe("stall");
      expect(what).not.toBe("");
      expect(why).not.toBe("");
    }
  });

  it("promises no shorter stall than was measured", () => {
    const benchmarks = readFileSync(join(projectRoot, "docs", "benchmarks.md"), "utf8");
    const longest = (fault: string) => {
      const cells = new RegExp(`^\\| ${fault} \\|.*$`, "m").exec(benchmarks)?.[0].split("|") ?? [];
      const max = Number(cells[7]);
      if (!(max > 0)) throw new Error(`docs/benchmarks.md does not say how long a ${fault} takes`);
      return max;
    };
    expect(switchoverSeconds).toBeGreaterThanOrEqual(longest("switchover"));
    expect(podLossSeconds).toBeGreaterThanOrEqual(longest("delete-pod"));
  });
});

describe("a condition", () => {
  const holds = (condition: typeof shorter, before: unknown, after: unknown) =>
    condition.holds({ property: "a", before, after }, resource("update", "a", "b"));

  it("compares times, and takes what it can't read for shorter", () => {
    expect(holds(shorter, "1 year", "90 days")).toBe(true);
    expect(holds(shorter, "90 days", "90 days")).toBe(false);
    expect(holds(shorter, "12 hours", "1 day")).toBe(false);
    expect(holds(shorter, "90 days", "[known after up]")).toBe(true);
  });

  it("compares numbers and sizes", () => {
    expect(holds(fewer, 3, 2)).toBe(true);
    expect(holds(fewer, 2, 10)).toBe(false);
    expect(holds(smaller, "1Ti", "900Gi")).toBe(true);
    expect(holds(smaller, "900Mi", "1Gi")).toBe(false);
  });

  it("sees what is taken out of a list, or out of what is in it", () => {
    expect(holds(takesAway, [{ a: 1 }, { b: 2 }], [{ b: 2 }])).toBe(true);
    expect(holds(takesAway, [{ a: 1 }], [{ b: 2 }, { a: 1 }])).toBe(false);
    expect(holds(takesAway, undefined, [{ a: 1 }])).toBe(false);
    expect(holds(takesAway, [{ a: 1 }], undefined)).toBe(true);
    expect(holds(takesAway, 5432, 5433)).toBe(true);
  });
});
