// The exporter: asks the database when it is scraped, and probes the way clients take.
import fastify from "fastify";
import { Registry } from "prom-client";
import { type Collection, collect } from "./collection";
import { type EndpointName, endpointNames, endpoints } from "./collectors";
import { type EventLog, FailureLog } from "./log";
import { type Sample, sample } from "./metrics";
import { ProbeMetrics, probeUntil } from "./probe";
import { registryOf } from "./render";
import { Session } from "./session";
import type { ExporterSettings, ProbePath } from "./settings";
import { shared } from "./shared";

/** Less than Prometheus waits (10 s): what is known by then is told. */
const scrapeMs = 8_000;

/**
 * For every session on the database itself. It only reads; a query that waits for a lock or takes long is a failed collector,
 * not a burden. Compiling such queries would take longer than running them.
 */
const sessionSettings = {
  default_transaction_read_only: "on",
  statement_timeout: "5s",
  lock_timeout: "2s",
  jit: "off",
};

export interface Exporter {
  /** e.g. `http://127.0.0.1:9188` */
  readonly url: string;
  /** Stops probes, cuts connections, and ends. */
  close(): Promise<void>;
}

/**
 * Starts answering `/metrics/performance`, `/metrics/hypertables` and `/metrics/compression`, and probing. It needs no database
 * for that: while there is none, `timescaledb_up` is 0.
 *
 * @throws Error of the listening socket, e.g. when the port is taken
 */
export async function startExporter(settings: ExporterSettings, log: EventLog): Promise<Exporter> {
  const failures = new FailureLog(log);
  const probeRegistry = new Registry();
  const probing = startProbes(settings, probeRegistry, failures);
  // Two at most: what matters most must not wait until sizes are added up.
  const quick = databaseSession(settings);
  const thorough = settings.singleSession ? quick : databaseSession(settings);
  const app = fastify({ forceCloseConnections: true });
  for (const name of endpointNames) {
    const session = name === "performance" ? quick : thorough;
    const scrape = shared(() => metricsOf(name, session, probeRegistry, failures));
    app.get(`/metrics/${name}`, async (_, reply) =>
      reply.type(Registry.PROMETHEUS_CONTENT_TYPE).send(await scrape()),
    );
  }
  // For whoever starts it again when it hangs. A database that is away is no reason to.
  app.get("/healthz", async () => "alive\n");
  const close = async (): Promise<void> => {
    for (const session of [quick, thorough]) session.close();
    await Promise.all([app.close(), probing.stop()]);
  };
  try {
    return { url: await app.listen(settings.listen), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function metricsOf(
  name: EndpointName,
  session: Session,
  probes: Registry,
  failures: FailureLog,
): Promise<string> {
  const collection = await collect(session, endpoints[name], scrapeMs, failures);
  if (name !== "performance") return registryOf(collection.samples).metrics();
  return Registry.merge([
    registryOf([...serverSamples(collection), ...collection.samples]),
    probes,
  ]).metrics();
}

function serverSamples({ server }: Collection): Sample[] {
  const { postgres, timescaledb, edition } = server ?? {};
  return [
    ...sample("timescaledb_up", {}, Number(server !== undefined)),
    ...(postgres === undefined || edition === undefined || !timescaledb
      ? []
      : sample("timescaledb_info", { timescaledb, postgres, edition }, 1)),
  ];
}

function databaseSession({ database, passwordFile, caFile, singleSession }: ExporterSettings): Session {
  return new Session({
    address: database,
    applicationName: "ms5-exporter",
    settings: sessionSettings,
    passwordFile,
    caFile,
    leave: singleSession,
  });
}

function startProbes(
  { probes, passwordFile, caFile, singleSession }: ExporterSettings,
  registry: Registry,
  failures: FailureLog,
): { stop(): Promise<void> } {
  const probed = (Object.keys(probes) as ProbePath[]).flatMap((path) => {
    const address = probes[path];
    if (address === undefined) return [];
    const options = { address, applicationName: "ms5-probe", settings: {}, passwordFile, caFile };
    return [{ path, session: new Session({ ...options, leave: singleSession }) }];
  });
  const metrics = new ProbeMetrics(
    registry,
    probed.map(({ path }) => path),
  );
  const over = new AbortController();
  const loops = probed.map(({ path, session }) => probeUntil(over.signal, path, session, metrics, failures));
  return {
    async stop() {
      over.abort();
      for (const { session } of probed) session.close();
      await Promise.all(loops);
    },
  };
}
