// How long the monitoring API's answers take, beside the least that the same way to the database takes. The service runs in
// this process, over the primary's port-forward: what is measured includes that, the same for both.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "pg";
import { forward, podCredentials } from "../../../infra/kubernetes/portForward";
import { loginRoles } from "../../../infra/schema/roleNames";
import type { BackupPlace } from "../../backups/place";
import type { Log } from "../../log";
import { keepMs } from "../../monitoring/service/context";
import { apiPrefix, type RunningService, startService } from "../../monitoring/service/server";
import {
  type DatabaseSettings,
  type ServiceSettings,
  serviceVersion,
} from "../../monitoring/service/settings";
import { makeKeySet, signToken } from "../../monitoring/service/token";
import { milliseconds, summarise } from "../measure";
import type { Result } from "../report";
import { type Figures, figuresOf, load } from "./load";

/** Those of requirements document 001. */
export const endpoints = [
  "/health",
  "/health/database",
  "/health/timescaledb",
  "/status/timescaledb",
  "/metrics/hypertables",
  "/metrics/compression",
  "/metrics/chunks",
  "/configuration",
] as const;

/** The least that can be asked. */
export const leastQuery = "SELECT 1";

const clients = 8;
/** Each case is measured in turns: so often, and so many ms each time. */
const turns = { count: 3, ms: 2_000 };
const warmUpMs = 500;
const firstReads = 10;
const poolConnections = 4;
/** A minute: more than anybody can ask. */
const unlimited = 1e9;
const issued = { issuer: "https://bench.invalid", audience: "ms5-monitoring" };

/** Passwords of the service's logins. */
export interface Logins {
  readonly monitor: string;
  readonly reader: string;
}

export interface EndpointFigures {
  /** By endpoint, and of {@link leastQuery}: one for each turn. */
  readonly shared: ReadonlyMap<string, readonly Figures[]>;
  /** The same of one client: milliseconds of answers for which the database was asked anew. */
  readonly first: ReadonlyMap<string, readonly number[]>;
  /** Requests without an answer of status 200. */
  readonly failed: number;
}

/** The databases of the service. */
export type Databases = Pick<ServiceSettings, "monitor" | "telemetry">;

interface Run {
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** @throws Error when an endpoint never answers with status 200 */
export async function measureEndpoints(
  { kubernetes, route, target }: BackupPlace,
  logins: Logins,
  run: Run,
): Promise<EndpointFigures> {
  const { ca } = await podCredentials(kubernetes, route);
  return withFolder(async (folder) => {
    const way = await forward(() => kubernetes, route);
    try {
      const caFile = await secretFile(folder, "ca.pem", ca);
      const database = async (role: keyof Logins): Promise<DatabaseSettings> => ({
        // A name that the server's certificate has.
        host: "localhost",
        port: way.port,
        database: target.database,
        user: loginRoles[role],
        passwordFile: await secretFile(folder, role, logins[role]),
        tls: "verify-full",
        caFile,
        singleSession: false,
      });
      const databases = { monitor: await database("monitor"), telemetry: await database("reader") };
      return await measureService(databases, run);
    } finally {
      await way.close();
    }
  });
}

/** The same over databases that can be reached from here. */
export function measureService(databases: Databases, { log, signal }: Run): Promise<EndpointFigures> {
  return withFolder(async (folder) => {
    const service = await start(folder, databases);
    const pool = await bare(databases.monitor);
    const agent = new Agent({ keepAlive: true, maxSockets: clients });
    try {
      const token = await signToken(folder, { ...issued, subject: "bench", roles: ["ms5.admin"] });
      const headers = { authorization: `Bearer ${token}` };
      const ask = (endpoint: string) => answered(`${service.url}${apiPrefix}${endpoint}`, { agent, headers });
      const query = async () => void (await pool.query(leastQuery));
      return await inTurns(query, ask, { log, signal });
    } finally {
      agent.destroy();
      await service.close();
      await pool.end();
    }
  });
}

async function inTurns(
  query: () => Promise<void>,
  ask: (endpoint: string) => Promise<void>,
  { log, signal }: Run,
): Promise<EndpointFigures> {
  const shared = new Map<string, Figures[]>();
  const first = new Map<string, number[]>([leastQuery, ...endpoints].map((name) => [name, []]));
  let failed = 0;
  const turn = async (name: string, work: () => Promise<void>) => {
    const found = await load(work, { clients, ms: turns.ms, signal });
    failed += found.failures.length;
    shared.set(name, [...(shared.get(name) ?? []), figuresOf(found)]);
  };
  // Connections are made by whoever comes first.
  await load(query, { clients, ms: warmUpMs, signal });
  for (const endpoint of endpoints) await load(() => ask(endpoint), { clients, ms: warmUpMs, signal });
  for (let count = 1; count <= turns.count; count += 1) {
    log.info(`endpoints: turn ${count} of ${turns.count}`);
    await turn(leastQuery, query);
    for (const endpoint of endpoints) await turn(endpoint, () => ask(endpoint));
  }
  await turn(leastQuery, query);
  log.info(`endpoints: ${firstReads} reads of each that are shared with nobody`);
  for (let count = 0; count < firstReads; count += 1) {
    // What was read before is forgotten by then.
    await sleep(keepMs + 200, undefined, { signal });
    for (const [name, samples] of first) {
      const work = name === leastQuery ? query : () => ask(name);
      await milliseconds(work).then(
        (ms) => samples.push(ms),
        () => {
          failed += 1;
        },
      );
    }
  }
  return { shared, first, failed };
}

/** As the service's own, over the same way. */
async function bare({ host, port, database, user, passwordFile, caFile }: DatabaseSettings): Promise<Pool> {
  const pool = new Pool({
    host,
    port,
    database,
    user,
    ...(passwordFile !== undefined && { password: await readFile(passwordFile, "utf8") }),
    ssl: caFile !== undefined && { ca: await readFile(caFile, "utf8"), rejectUnauthorized: true },
    max: poolConnections,
  });
  // One that breaks while nobody uses it is made anew.
  pool.on("error", () => undefined);
  return pool;
}

/** As in the cluster, but without TLS in front of it, and with limits that a benchmark does not reach. */
async function start(folder: string, databases: Databases): Promise<RunningService> {
  const { keySetFile } = await makeKeySet(folder);
  return startService(
    {
      ...databases,
      listen: { host: "127.0.0.1", port: 0 },
      local: false,
      tls: undefined,
      tokens: { ...issued, keys: { from: "file", file: keySetFile }, rolesClaim: "roles" },
      pageFolder: undefined,
      volumeBytes: undefined,
      limits: { perAddress: unlimited, perSubject: unlimited },
      version: serviceVersion,
    },
    // stdout is the report's.
    { audit: () => undefined, log: { write: () => undefined } },
  );
}

/** A folder that goes again, whatever happens. */
async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "ms5-bench-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function secretFile(folder: string, name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content, { mode: 0o600 });
  return path;
}

function answered(url: string, options: { agent: Agent; headers: Record<string, string> }): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, options, (response) => {
      response
        .once("error", reject)
        .once("end", () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`${url}: ${response.statusCode}`)),
        )
        .resume();
    }).once("error", reject);
  });
}

/** Pure. */
export function endpointRows({ shared, first }: EndpointFigures): Result[] {
  const of = (name: string, pick: (figures: Figures) => number) =>
    summarise((shared.get(name) ?? []).map(pick));
  const p50 = (name: string) => of(name, (figures) => figures.p50);
  const anew = (name: string) => summarise(first.get(name) ?? []);
  const [least, leastAnew] = [p50(leastQuery).median, anew(leastQuery).median];
  const beside = (name: string, value: number) =>
    name === leastQuery ? {} : { ratio: { value, of: leastQuery } };
  return [leastQuery, ...endpoints].flatMap((name) => [
    {
      case: `${name}, one client, read anew`,
      unit: "ms",
      ...anew(name),
      ...beside(name, anew(name).median / leastAnew),
    },
    { case: `${name}, p50`, unit: "ms", ...p50(name), ...beside(name, p50(name).median / least) },
    { case: `${name}, p95`, unit: "ms", ...of(name, (figures) => figures.p95) },
    { case: `${name}, answers`, unit: "a second", ...of(name, (figures) => figures.perSecond) },
  ]);
}
