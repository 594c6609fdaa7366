// Stack `cluster` on three nodes: everything is made by one `up`, and a second has nothing to do; then what an operator
// does to it over the years. Each test carries on with what the one before it left.
import { AppsV1Api, CoreV1Api, KubeConfig, KubernetesObjectApi } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { leaderLock } from "../../infra/database/leaderLock";
import { podExec } from "../../infra/database/podExec";
import { settingProblems } from "../../infra/database/postgresSettings";
import known from "../../infra/database/postgresSettings.json";
import { memberStates } from "../../infra/database/rollout/members";
import type { StackResult } from "../../ops/engine/stack";
import { databaseTag, ensureCluster } from "../cluster";
import type { Overrides } from "../support/commandStack";
import { silent } from "../support/embedded";
import { ClientPod, type Login, statement, type Written, writers } from "./support/clientPod";
import { ClusterStack, edition } from "./support/clusterStack";
import { kubeScore } from "./support/kubeScore";

const database = "ms5-database";
const config = new KubeConfig();
let kubeconfig: string;
let core: CoreV1Api;
let stack: ClusterStack;
let client: ClientPod;
let writer: Login;
/** What the config has become; each change stays. */
const overrides: Record<string, string> = {};

beforeAll(async () => {
  const cluster = await ensureCluster(silent);
  kubeconfig = cluster.kubeconfig;
  config.loadFromFile(kubeconfig);
  core = config.makeApiClient(CoreV1Api);
  stack = new ClusterStack(cluster);
}, 600_000);
afterAll(async () => {
  await client?.remove();
  await stack?.deploy("destroy");
  stack?.remove();
}, 300_000);

async function up(change: Overrides = {}): Promise<StackResult> {
  Object.assign(overrides, change);
  const result = await stack.deploy("up", overrides as Overrides);
  const errors = result.diagnostics.filter(({ severity }) => severity === "error");
  expect(errors.map(({ message }) => message)).toEqual([]);
  expect(result.result).toBe("succeeded");
  return result;
}

/** Until it holds. */
const eventually = (check: () => Promise<void>, timeout = 60_000) =>
  vi.waitFor(check, { timeout, interval: 500 });

const changed = ({ changes }: StackResult) =>
  changes.filter(({ op }) => op !== "same").map(({ type, name, op }) => `${op} ${type} ${name}`);

async function inPod(pod: string, command: string[]): Promise<string> {
  return podExec(config, { namespace: database, pod, container: "database" }, command);
}

async function asSuperuser(pod: string, sql: string): Promise<string> {
  return (
    await inPod(pod, ["psql", "-h", "/run/postgresql", "-U", "postgres", "-d", "ms5", "-XAtc", sql])
  ).trim();
}

async function primary(): Promise<string> {
  const { holder } = await leaderLock(config, "blue");
  if (holder === undefined) throw new Error("blue has no primary");
  return holder;
}

const asClient = (login: Login, sql: string) =>
  client.python<{ rows?: string[][]; error?: string }>(statement(login, sql));

async function pods(): Promise<Record<string, string>> {
  const { items } = await core.listNamespacedPod({ namespace: database });
  return Object.fromEntries(items.map(({ metadata }) => [metadata?.name ?? "", metadata?.uid ?? ""]));
}

describe("stack cluster", () => {
  it("is made by one up", { timeout: 300_000 }, async () => {
    await up();
    expect(Object.keys(await pods()).sort()).toEqual(["blue-0", "blue-1", "blue-2"]);
    const nodes = (await core.listNamespacedPod({ namespace: database })).items.map(
      ({ spec }) => spec?.nodeName,
    );
    expect(new Set(nodes).size).toBe(3);
    const ca =
      (await core.readNamespacedConfigMap({ namespace: database, name: "ca" })).data?.["ca.pem"] ?? "";
    client = await ClientPod.create(config, kubeconfig, ca);
    writer = { user: "ms5_writer", password: (await stack.passwords()).writer };
  });

  it("has nothing to do at a second up", async () => {
    expect(changed(await up())).toEqual([]);
  });

  it("shows no drift", async () => {
    expect(changed(await stack.deploy("refresh", overrides as Overrides))).toEqual([]);
  });

  it("has the schema, and takes writes through the pooler", async () => {
    const sql =
      "INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id) VALUES (now(), 1, 1, 1)";
    expect(await asClient(writer, sql)).toEqual({ rows: [] });
    const reader = { user: "ms5_reader", password: (await stack.passwords()).reader, database: "ms5_ro" };
    await eventually(async () => {
      const { rows } = await asClient(
        reader,
        "SELECT count(*), pg_is_in_recovery() FROM factory_telemetry.metric_hist",
      );
      expect(rows).toEqual([["1", "True"]]);
    });
  });

  it("knows PostgreSQL's settings as the server has them", async () => {
    const listed = await asSuperuser(
      await primary(),
      "SELECT json_object_agg(name, context) FROM pg_settings WHERE context <> 'internal' AND name NOT LIKE '%.%'",
    );
    const ours = Object.fromEntries(Object.entries(known).map(([name, { context }]) => [name, context]));
    expect(ours).toEqual(JSON.parse(listed));
    expect(settingProblems({})).toEqual([]);
  });
});

describe.skipIf(edition === "apache")("the Community edition", () => {
  it("compresses, keeps aggregates and forgets by itself: every job runs", { timeout: 300_000 }, async () => {
    await eventually(async () => {
      const jobs = await asSuperuser(
        await primary(),
        `SELECT proc_name, count(*), count(*) FILTER (WHERE last_run_status = 'Success')
           FROM timescaledb_information.jobs JOIN timescaledb_information.job_stats USING (job_id)
          WHERE proc_name IN ('policy_compression', 'policy_retention', 'policy_refresh_continuous_aggregate')
          GROUP BY 1 ORDER BY 1`,
      );
      const rows = jobs.split("\n").map((line) => line.split("|"));
      expect(rows.map(([name]) => name)).toEqual([
        "policy_compression",
        "policy_refresh_continuous_aggregate",
        "policy_retention",
      ]);
      for (const [name, all, succeeded] of rows) expect(succeeded, name).toBe(all);
    }, 240_000);
  });
});

describe("who gets in", () => {
  it("verifies the pooler's and the database's names", async () => {
    const direct = { ...writer, host: `blue-primary.${database}.svc`, port: 5432 };
    // Network policies keep applications from the database itself.
    expect((await asClient(direct, "SELECT 1")).error).toMatch(/timeout|timed out/);
    const elsewhere = { ...writer, host: "pooler.ms5-pooler.svc.cluster.local." };
    expect((await asClient(elsewhere, "SELECT 1")).error ?? "").toMatch(
      /does not match host name|certificate/,
    );
  });

  it.each([
    ["no encryption", { sslmode: "disable" }, /SSL required|no encryption/i],
    ["a wrong password", { password: "wrong" }, /password authentication failed|SASL authentication failed/],
    ["the superuser", { user: "postgres", password: "" }, /authentication failed|no such user|no password/],
    [
      "the pooler's own role",
      { user: "pooler", password: "x" },
      /rejected|authentication failed|login rejected/,
    ],
    ["the replication role", { user: "replicator", password: "x" }, /authentication failed|no such user/],
    ["the administrator", { user: "ms5_admin", password: "x" }, /authentication failed|no such user/],
  ])("refuses %s", async (_, login, message) => {
    expect((await asClient({ ...writer, ...login }, "SELECT 1")).error).toMatch(message);
  });

  it("stores SCRAM secrets only, and nothing in the clear", async () => {
    const stored = await asSuperuser(
      await primary(),
      "SELECT count(*) FROM pg_authid WHERE rolpassword IS NOT NULL AND rolpassword NOT LIKE 'SCRAM-SHA-256$%'",
    );
    expect(stored).toBe("0");
    expect(stack.state()).not.toContain(writer.password);
    const logs = await Promise.all(
      Object.keys(await pods()).map((name) => core.readNamespacedPodLog({ namespace: database, name })),
    );
    expect(logs.join("\n")).not.toContain(writer.password);
  });
});

describe("posture", () => {
  it("is refused to whoever asks for more than Pod Security `restricted` gives", async () => {
    const container = { name: "x", image: databaseTag, securityContext: { privileged: true } };
    for (const namespace of [database, "ms5-pooler"]) {
      const pod = { metadata: { name: "greedy" }, spec: { containers: [container] } };
      await expect(core.createNamespacedPod({ namespace, body: pod })).rejects.toThrow(
        /violates PodSecurity/,
      );
    }
  });

  it("leaves a linter nothing to say but what we have a reason for", { timeout: 300_000 }, async () => {
    // KIND: CHECK, and why not.
    const waived: Record<string, string> = {
      "Deployment: container-image-pull-policy":
        "nodes of the test cluster cannot pull; in the cloud images are named by tag",
      "StatefulSet: container-image-pull-policy": "the same",
      "Deployment: container-resources": "no CPU limit: throttled, everyone's queries wait",
      "StatefulSet: container-resources":
        "no CPU limit: throttled, a member misses its turns and a failover comes of nothing",
      "Deployment: container-ephemeral-storage-request-and-limit":
        "it writes nothing: read-only root, no emptyDir",
      "StatefulSet: container-ephemeral-storage-request-and-limit":
        "what it writes has volumes, and emptyDirs have limits",
      "Deployment: container-security-context-user-group-id": "wants 10000 or more; the images' user is 1000",
      "StatefulSet: container-security-context-user-group-id": "the same",
      "Deployment: pod-probes-identical": "one question suits both: liveness waits far longer for the answer",
      "Service: service-targets-pod": "Patroni gives pods the label of their role",
    };
    const found = await kubeScore(await deployedObjects());

    const kinds = found.map((finding) => finding.replace(/\/[^:]*/, ""));
    expect(kinds.filter((kind) => waived[kind] === undefined)).toEqual([]);
    // A reason for what nobody says any more is one too many.
    expect(Object.keys(waived).filter((kind) => !kinds.includes(kind))).toEqual([]);
  });

  async function deployedObjects(): Promise<object[]> {
    const kinds = [
      ["apps/v1", "StatefulSet"],
      ["apps/v1", "Deployment"],
      ["v1", "Service"],
      ["policy/v1", "PodDisruptionBudget"],
      ["networking.k8s.io/v1", "NetworkPolicy"],
    ] as const;
    const api = KubernetesObjectApi.makeApiClient(config);
    const lists = [database, "ms5-pooler"].flatMap((namespace) =>
      kinds.map(async ([apiVersion, kind]) => {
        const { items } = await api.list(apiVersion, kind, namespace);
        return items.map((item) => ({ ...item, apiVersion, kind }));
      }),
    );
    return (await Promise.all(lists)).flat();
  }
});

describe("changes by config", () => {
  it("refuses what could not work before anything changes", async () => {
    const before = await pods();
    const result = await stack.command(["up", "cluster", "--json"], {
      ...overrides,
      MS5_CLUSTER_PARAMETERS: '{"work_mem": "2GB", "shared_bufers": "1GB"}',
    });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/cluster\.parameters\.shared_bufers.*PostgreSQL 17 has no such setting/);
    expect(result.stderr).toMatch(/cluster\.memory.*PostgreSQL can come to take/);
    expect(await pods()).toEqual(before);
  });

  it("says in the preview which setting restarts the members, and rolls them without an error for clients", {
    timeout: 300_000,
  }, async () => {
    const before = await pods();
    const change = {
      MS5_CLUSTER_MAX_CONNECTIONS: "90",
      MS5_CLUSTER_PARAMETERS: '{"log_min_duration_statement": "2s"}',
    };
    const preview = await stack.deploy("preview", { ...overrides, ...change });
    expect(JSON.stringify(preview.changes)).toContain("settingsThatRestart.max_connections");
    expect(JSON.stringify(preview.changes)).toContain("settingsThatReload.log_min_duration_statement");
    const [written] = await Promise.all([client.python<Written>(writers(writer, 45)), up(change)]);
    expect(written.errors).toEqual([]);
    expect(written.writes).toBeGreaterThan(100);
    for (const pod of Object.keys(before)) {
      expect(await asSuperuser(pod, "SHOW max_connections")).toBe("90");
      expect(await asSuperuser(pod, "SHOW log_min_duration_statement")).toBe("2s");
    }
    // PostgreSQL was restarted in them; the pods stayed.
    expect(await pods()).toEqual(before);
  });

  it("replaces pods one by one, the primary last and after a switchover", { timeout: 300_000 }, async () => {
    const before = await pods();
    const was = await primary();
    const [written] = await Promise.all([
      client.python<Written>(writers(writer, 60)),
      up({ MS5_CLUSTER_MEMORY: "1100Mi" }),
    ]);
    expect(written.errors).toEqual([]);
    const after = await pods();
    for (const [name, uid] of Object.entries(before)) expect(after[name]).not.toBe(uid);
    expect(await primary()).not.toBe(was);
  });

  it("gives the administrator another password, and disconnects nobody", { timeout: 300_000 }, async () => {
    const [written] = await Promise.all([
      client.python<Written>(writers(writer, 30)),
      up({ MS5_CLUSTER_PASSWORD_VERSION: "2" }),
    ]);
    expect(written.errors).toEqual([]);
  });

  it("renews every key and certificate, the authority too, without a restart", {
    timeout: 300_000,
  }, async () => {
    const before = await pods();
    const started = await asSuperuser(await primary(), "SELECT pg_postmaster_start_time()");
    await up({ MS5_CLUSTER_KEY_VERSION: "2" });
    expect(await pods()).toEqual(before);
    expect(await asSuperuser(await primary(), "SELECT pg_postmaster_start_time()")).toBe(started);
    const ca =
      (await core.readNamespacedConfigMap({ namespace: database, name: "ca" })).data?.["ca.pem"] ?? "";
    await client.remove();
    client = await ClientPod.create(config, kubeconfig, ca);
    await eventually(async () => expect((await asClient(writer, "SELECT 1")).rows).toEqual([["1"]]));
    // Replicas connect anew with the new certificates.
    await asSuperuser(await primary(), "SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
    await eventually(async () => {
      expect(await asSuperuser(await primary(), "SELECT count(*) FROM pg_stat_replication")).toBe("2");
    });
  });

  it("grows the volumes while everything runs", { timeout: 300_000 }, async () => {
    const before = await pods();
    await up({ MS5_CLUSTER_DATA_VOLUME: "1500Mi" });
    const pod = await primary();
    await eventually(async () => {
      const size = Number((await inPod(pod, ["df", "--output=size", "-m", "/data"])).trim().split("\n")[1]);
      expect(size).toBeGreaterThan(1_300);
    });
    expect(Object.keys(await pods())).toEqual(Object.keys(before));
  });

  it("goes down to two members and back to three", { timeout: 300_000 }, async () => {
    await up({ MS5_CLUSTER_MEMBERS: "2" });
    expect(Object.keys(await pods()).sort()).toEqual(["blue-0", "blue-1"]);
    expect((await asClient(writer, "SELECT 1")).rows).toEqual([["1"]]);
    await up({ MS5_CLUSTER_MEMBERS: "3" });
    await eventually(async () => expect((await leaderLock(config, "blue")).voters.length).toBe(2));
  });
});

describe("a full disk", () => {
  it("stops applications from writing before it is full, and lets them on when there is room", {
    timeout: 300_000,
  }, async () => {
    const pod = await primary();
    const insert =
      "INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id) VALUES (now(), 2, 1, 1)";
    const free = Number((await inPod(pod, ["df", "--output=avail", "-m", "/wal"])).trim().split("\n")[1]);
    await inPod(pod, ["fallocate", "-l", `${free - 40}M`, "/wal/filler"]);
    await eventually(async () =>
      expect((await asClient(writer, insert)).error).toMatch(/read-only transaction/),
    );
    const { status } = (await core.readNamespacedPod({ namespace: database, name: pod })) ?? {};
    expect(status?.containerStatuses?.[0]?.restartCount).toBe(0);
    await inPod(pod, ["rm", "/wal/filler"]);
    await eventually(async () => expect(await asClient(writer, insert)).toEqual({ rows: [] }));
  });

  it("comes back without loss from a log that filled to the last byte", { timeout: 300_000 }, async () => {
    const pod = await primary();
    const before = await asSuperuser(pod, "SELECT count(*) FROM factory_telemetry.metric_hist");
    await inPod(pod, ["sh", "-c", "head -c 10G /dev/zero > /wal/filler; true"]);
    // Only the superuser writes now, as a job would; the server ends for want of room, and another member takes over.
    await inPod(pod, [
      ...[
        "sh",
        "-c",
        "psql -h /run/postgresql -U postgres -d ms5 -c 'CREATE TABLE filler AS SELECT repeat(md5(i::text), 50) FROM generate_series(1, 200000) i'; true",
      ],
    ]);
    await inPod(pod, ["rm", "-f", "/wal/filler"]);
    await eventually(async () => {
      const states = await memberStates(config, "blue", "");
      expect(states.every(({ ready }) => ready)).toBe(true);
    }, 120_000);
    const now = await primary();
    await asSuperuser(now, "DROP TABLE IF EXISTS filler");
    expect(
      Number(await asSuperuser(now, "SELECT count(*) FROM factory_telemetry.metric_hist")),
    ).toBeGreaterThanOrEqual(Number(before));
  });
});

describe("the end", () => {
  it("is a destroy that finishes and leaves no pod", { timeout: 300_000 }, async () => {
    const result = await stack.deploy("destroy", overrides as Overrides);
    expect(result.result).toBe("succeeded");
    const { items } = await config.makeApiClient(AppsV1Api).listStatefulSetForAllNamespaces();
    expect(items.filter(({ metadata }) => metadata?.namespace === database)).toEqual([]);
  });
});
