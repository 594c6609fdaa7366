// Faults that a watched cluster has to notice, each caused for real and undone again: for the end-to-end test, and for
// measuring how long somebody would wait to be told.
import { AppsV1Api, CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { Client } from "pg";
import { leaderLock } from "../../../infra/database/leaderLock";
import { podExec } from "../../../infra/database/podExec";
import { poolerPorts } from "../../../infra/database/poolerPlaces";
import { namespaceNames } from "../../../infra/kubernetes/namespaceNames";
import { type Forward, forward } from "../../../infra/kubernetes/portForward";
import { loginRoles } from "../../../infra/schema/roleNames";

/** What a fault is caused in. */
export interface Place {
  readonly config: KubeConfig;
  readonly database: string;
  /** Passwords of login roles. */
  readonly passwords: Readonly<Record<string, string>>;
  /** Takes the backups' storage away; undefined gives it back. */
  storage(state: "away" | undefined): Promise<void>;
  /** Stops PostgreSQL's processes in a member's pod, or lets them go on. */
  freeze(pod: string, state: boolean): Promise<void>;
}

export interface Fault {
  /** Who has to tell of it. */
  readonly alert: string;
  readonly severity: "critical" | "warning";
  /** What happens, for people. */
  readonly what: string;
  /** Causes it; the result ends it. */
  cause(place: Place): Promise<() => Promise<void>>;
}

/** They don't get into each other's way: all at once. */
export const together: readonly Fault[] = [
  {
    alert: "LoginExpiring",
    severity: "warning",
    what: "a login's password ends in ten days",
    async cause(place) {
      const valid = (until: string) =>
        inPrimary(place, `ALTER ROLE ${loginRoles.writer} VALID UNTIL ${until}`);
      await valid(`'${new Date(Date.now() + 10 * 86_400_000).toISOString()}'`);
      return () => valid("'infinity'");
    },
  },
  {
    alert: "BackupRepositoryAway",
    severity: "warning",
    what: "the backups' storage refuses connections",
    async cause(place) {
      await place.storage("away");
      return () => place.storage(undefined);
    },
  },
  {
    alert: "SessionsBlocked",
    severity: "warning",
    what: "a session waits for a lock",
    async cause(place) {
      const sessions = await direct(place, 2);
      const [holds, waits] = sessions.clients;
      await holds?.query("BEGIN; SELECT pg_advisory_xact_lock(4711)");
      void waits?.query("BEGIN; SELECT pg_advisory_xact_lock(4711)").catch(() => undefined);
      return sessions.end;
    },
  },
  {
    alert: "ConnectionsSaturated",
    severity: "warning",
    what: "more than four fifths of all connections are taken, past the pooler",
    async cause(place) {
      const [[limit = "0"] = []] = await rowsInPrimary(place, "SHOW max_connections");
      // As many again come and go by themselves; not those that are kept for superusers and ourselves.
      const sessions = await direct(place, Math.round(Number(limit) * 0.78));
      return sessions.end;
    },
  },
  {
    alert: "VolumeAlmostFull",
    severity: "critical",
    what: "a replica's data volume has less room than is kept for recovery",
    async cause(place) {
      const { replicas } = await members(place);
      const pod = replicas[0] ?? "";
      const fill =
        "free=$(df --output=avail -B1 /data | tail -n 1); fallocate -l $((free - 16777216)) /data/fault";
      await inPod(place, pod, ["bash", "-ec", fill]);
      return async () => void (await inPod(place, pod, ["rm", "-f", "/data/fault"]));
    },
  },
  {
    alert: "TargetDown",
    severity: "warning",
    what: "the monitoring API is gone",
    cause: (place) => scaled(place, namespaceNames.monitoring, "monitoring-api", 0),
  },
];

/** Each of them changes what the others would show: one after the other. */
export const alone: readonly Fault[] = [
  {
    alert: "DeadlockBurst",
    severity: "warning",
    what: "pairs of sessions lock each other out",
    async cause(place) {
      const pairs = 8;
      const sessions = await direct(place, 2 * pairs);
      await Promise.all(
        Array.from({ length: pairs }, async (_, pair) => {
          const [one, other] = [sessions.clients[2 * pair], sessions.clients[2 * pair + 1]];
          const lock = (client: Client | undefined, key: number) =>
            client?.query(`SELECT pg_advisory_xact_lock(${pair}, ${key})`);
          await Promise.all([one?.query("BEGIN"), other?.query("BEGIN")]);
          await Promise.all([lock(one, 1), lock(other, 2)]);
          // One of both is ended by the server.
          await Promise.allSettled([lock(one, 2), lock(other, 1)]);
        }),
      );
      await sessions.end();
      return async () => undefined;
    },
  },
  {
    alert: "PoolerClientsWait",
    severity: "critical",
    what: "clients hold every server connection of a user's, and others wait for one",
    async cause(place) {
      const core = place.config.makeApiClient(CoreV1Api);
      const { items } = await core.listNamespacedPod({
        namespace: namespaceNames.pooler,
        labelSelector: "app.kubernetes.io/name=pooler",
      });
      const pod = items[0]?.metadata?.name ?? "";
      const way = await forward(() => place.config, {
        namespace: namespaceNames.pooler,
        pod,
        port: poolerPorts.clients,
      });
      const clients = await logIn(place, way.port, 25);
      for (const client of clients) void client.query("SELECT pg_sleep(28)").catch(() => undefined);
      const again = setInterval(() => {
        for (const client of clients) void client.query("SELECT pg_sleep(28)").catch(() => undefined);
      }, 25_000);
      return async () => {
        clearInterval(again);
        await cutOff(way, clients);
      };
    },
  },
  {
    alert: "NoSynchronousStandby",
    severity: "critical",
    what: "both replicas stand still: writes wait",
    async cause(place) {
      const { replicas } = await members(place);
      await Promise.all(replicas.map((pod) => place.freeze(pod, true)));
      return async () => void (await Promise.all(replicas.map((pod) => place.freeze(pod, false))));
    },
  },
  {
    alert: "FailoverHappened",
    severity: "warning",
    what: "the primary's pod is deleted",
    async cause(place) {
      const { primary } = await members(place);
      const pod = { name: primary, namespace: namespaceNames.database, gracePeriodSeconds: 0 };
      await place.config.makeApiClient(CoreV1Api).deleteNamespacedPod(pod);
      return async () => undefined;
    },
  },
  {
    alert: "AvailabilityBurn",
    severity: "critical",
    what: "no pooler is there: clients reach nothing",
    cause: (place) => scaled(place, namespaceNames.pooler, "pooler", 0),
  },
  {
    alert: "ProbeAbsent",
    severity: "warning",
    what: "nobody probes",
    cause: (place) => scaled(place, namespaceNames.monitoring, "exporter", 0),
  },
];

/** Another number of pods; the result gives it the old one again. */
async function scaled(
  { config }: Place,
  namespace: string,
  name: string,
  replicas: number,
): Promise<() => Promise<void>> {
  const apps = config.makeApiClient(AppsV1Api);
  const scale = await apps.readNamespacedDeploymentScale({ namespace, name });
  const before = scale.spec?.replicas ?? 1;
  const to = async (count: number) => {
    await apps.replaceNamespacedDeploymentScale({
      namespace,
      name,
      // Without a version: whatever the controller has noted in it meanwhile.
      body: { metadata: { name, namespace }, spec: { replicas: count } },
    });
  };
  await to(replicas);
  return () => to(before);
}

async function members({ config }: Place): Promise<{ primary: string; replicas: string[] }> {
  const { holder = "" } = await leaderLock(config, "blue");
  const { items } = await config.makeApiClient(CoreV1Api).listNamespacedPod({
    namespace: namespaceNames.database,
    labelSelector: "app.kubernetes.io/name=database",
  });
  const names = items.map(({ metadata }) => metadata?.name ?? "").sort();
  return { primary: holder, replicas: names.filter((name) => name !== holder) };
}

function inPod({ config }: Place, pod: string, command: string[]): Promise<string> {
  return podExec(config, { namespace: namespaceNames.database, pod, container: "database" }, command, {
    timeoutMs: 60_000,
  });
}

async function rowsInPrimary(place: Place, statement: string): Promise<string[][]> {
  const { primary } = await members(place);
  const psql = ["psql", "-h", "/run/postgresql", "-U", "postgres", "-d", place.database, "-XAtqc", statement];
  const text = (await inPod(place, primary, psql)).trim();
  return text === "" ? [] : text.split("\n").map((line) => line.split("|"));
}

async function inPrimary(place: Place, statement: string): Promise<void> {
  await rowsInPrimary(place, statement);
}

/** Sessions on the primary itself. */
async function direct(place: Place, count: number) {
  const { primary } = await members(place);
  const way = await forward(() => place.config, {
    namespace: namespaceNames.database,
    pod: primary,
    port: 5432,
  });
  const clients = await logIn(place, way.port, count);
  return { clients, end: () => cutOff(way, clients) };
}

/** Without waiting for what they still wait for. */
async function cutOff(way: Forward, clients: readonly Client[]): Promise<void> {
  await way.close();
  await Promise.allSettled(clients.map((client) => client.end()));
}

async function logIn(place: Place, port: number, count: number): Promise<Client[]> {
  const clients = Array.from(
    { length: count },
    () =>
      new Client({
        host: "127.0.0.1",
        port,
        database: place.database,
        user: loginRoles.reader,
        password: place.passwords[loginRoles.reader],
        // The forward ends inside the pod, and Kubernetes has vouched for it.
        ssl: { rejectUnauthorized: false },
      }),
  );
  await Promise.all(
    clients.map(async (client) => {
      client.on("error", () => undefined);
      await client.connect();
    }),
  );
  return clients;
}
