// One fault after the other, under load, with a look at everything in between.
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { ExitCode, UserError } from "../../../infra/errors";
import { healEverything } from "../../../test/cluster/faults";
import type { Log } from "../../log";
import { nodeOfWriter } from "./clients";
import { conflictsOf, keyOf, lostOf } from "./conflicts";
import { evaluate } from "./evaluate";
import { actionOf } from "./inflict";
import { type Acknowledged, now } from "./journal";
import { factsOf } from "./kinds";
import { Load } from "./load";
import { primaryMember, sceneOf, type Target } from "./members";
import { isProbe } from "./probes";
import type { FaultRecord } from "./report";
import type { PlannedFault } from "./schedule";
import { rowsOf } from "./table";
import { told, toldWrite } from "./tell";
import { lacking } from "./whole";

export interface RunOptions extends Target {
  readonly faults: readonly PlannedFault[];
  readonly log: Log;
  /** Ends the run: what is broken is healed, and what was made is removed. */
  readonly signal: AbortSignal;
}

export interface RunResult {
  readonly faults: readonly FaultRecord[];
  /** Writes that were acknowledged, to clients and to probes. */
  readonly acknowledged: number;
  /** Of all of them, those that are missing in the end. */
  readonly lost: number;
  readonly twoPrimaries: number;
  /** Why it ended early, if it did. */
  readonly stopped?: string;
}

/** Milliseconds that another primary has, before the fault is undone without one. */
const takeoverTimeoutMs = 60_000;
/** Milliseconds that the cluster has for becoming whole, and clients for getting through. */
const wholeTimeoutMs = 240_000;
const writeTimeoutMs = 60_000;
/** How many writes are told of each fault that went wrong. */
const evidenceLines = 5;

/**
 * @throws UserError when the cluster is not whole before the first fault. Afterwards that ends the run, and stands in its
 * result
 */
export async function runFaults(options: RunOptions): Promise<RunResult> {
  const { plan, log, signal } = options;
  await requireWhole(options);
  log.info("starting a client on each node, and a probe in each member");
  const load = await Load.start(options, await primaryMember(options));
  try {
    const silent = await load.untilAllWrite(writeTimeoutMs, signal);
    if (silent.length > 0) throw new Error(silent.join("; "));
    return await oneByOne(options, load);
  } finally {
    // Whatever of it fails, the rest is done.
    const primary = async () => load.end(await primaryMember(options).catch(() => undefined));
    for (const step of [() => healEverything(plan), primary]) {
      await step().catch((error: Error) => log.warn(`cleaning up: ${error.message}`));
    }
  }
}

async function oneByOne(options: RunOptions, load: Load): Promise<RunResult> {
  const { faults, log, signal } = options;
  const records: FaultRecord[] = [];
  let stopped: string | undefined;
  try {
    for (const fault of faults) {
      log.info(`${fault.number}/${faults.length} ${fault.kind}: ${factsOf(fault.kind).does}`);
      const record = await oneFault(options, load, fault);
      records.push(record);
      log.info(`   ${told(record)}`);
    }
  } catch (error) {
    if (!signal.aborted && !(error instanceof NotWhole)) throw error;
    stopped = signal.aborted ? "stopped by hand" : (error as Error).message;
    log.warn(stopped);
  }
  await load.read();
  // Probes go on adding to it.
  const acknowledged = [...load.journal.acknowledged];
  const early = stopped === undefined ? {} : { stopped };
  const totals = { faults: records, acknowledged: acknowledged.length, ...early };
  try {
    const lost = await missing(options, acknowledged);
    const conflicts = conflictsOf(load.named(acknowledged), keysOf(lost));
    return { ...totals, lost: lost.length, twoPrimaries: conflicts.length };
  } catch (error) {
    if (stopped === undefined) throw error;
    // Nobody to ask any more.
    const sum = (of: (record: FaultRecord) => number) => records.reduce((total, one) => total + of(one), 0);
    return {
      ...totals,
      lost: sum(({ lost }) => lost),
      twoPrimaries: sum(({ twoPrimaries }) => twoPrimaries),
      stopped: `${stopped}; what it lost could not be asked: ${(error as Error).message}`,
    };
  }
}

async function oneFault(options: RunOptions, load: Load, fault: PlannedFault): Promise<FaultRecord> {
  const { kind } = fault;
  await sleep(fault.delayMs, undefined, { signal: options.signal });
  const scene = await sceneOf(options, fault);
  const action = actionOf(kind, scene);
  await load.read();
  const { journal } = load;
  const { timeline } = journal;
  const machineLoad = loadavg()[0] ?? 0;
  const begun = now();
  let inflicted = begun;
  let healing: number;
  const refused: string[] = [];
  try {
    await action.inflict().catch((error) => {
      if (!(error instanceof UserError)) throw error;
      refused.push(error.message);
    });
    inflicted = now();
    if (factsOf(kind).measure === "takeover") await untilTakenOver(options, load, timeline);
    await sleep(fault.holdMs, undefined, { signal: options.signal });
  } finally {
    healing = now();
    await action.heal?.();
  }
  await sleep(action.calmMs ?? 0, undefined, { signal: options.signal });
  const lacks = [
    ...(await untilWhole(options)),
    ...(await load.untilAllWrite(writeTimeoutMs, options.signal)),
  ];
  if (lacks.length > 0) throw new NotWhole(fault, lacks);
  const times = { begun, inflicted, healing, whole: now() };
  const since = journal.next();
  const isClient = ({ source }: { source: string }) => !isProbe(source);
  const { ms, ...outcome } = evaluate(kind, times, {
    timeline,
    acknowledged: since.acknowledged.filter(isClient),
    failed: since.failed.filter((one) => isClient(one) && !action.hits?.includes(nodeOfWriter(one.source))),
  });
  const inDatabase = evaluate(kind, times, {
    timeline,
    acknowledged: since.acknowledged.filter(({ source }) => isProbe(source)),
    failed: [],
  });
  const lost = await missing(options, since.acknowledged);
  const recent = new Set(since.acknowledged.map(keyOf));
  const conflicts = conflictsOf(load.named(journal.acknowledged), keysOf(lost)).filter((one) =>
    recent.has(keyOf(one)),
  );
  return {
    number: fault.number,
    kind,
    from: scene.primary.name,
    to: (await primaryMember(options)).name,
    seconds: seconds(ms),
    databaseSeconds: seconds(inDatabase.ms),
    wholeAfterSeconds: seconds(times.whole - healing),
    ...outcome,
    problems: [...refused, ...outcome.problems],
    lost: lost.length,
    twoPrimaries: conflicts.length,
    evidence: [
      ...load
        .named(lost)
        .slice(0, evidenceLines)
        .map((one) => `lost: ${toldWrite(one, begun)}`),
      ...conflicts.slice(0, evidenceLines).map((one) => `second primary: ${toldWrite(one, begun)}`),
    ],
    load: Math.round(machineLoad),
  };
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms) / 1000;
}

/** The cluster does not recover from a fault: the next one would say nothing. */
class NotWhole extends Error {
  constructor({ number, kind }: PlannedFault, lacks: readonly string[]) {
    super(`fault ${number} (${kind}) does not end: ${lacks.join("; ")}`);
  }
}

async function requireWhole(options: RunOptions): Promise<void> {
  const lacks = await untilWhole(options);
  if (lacks.length === 0) return;
  throw new UserError(`the database is not as it should be: ${lacks.join("; ")}`, {
    fix: "let `npm run up -- cluster` finish, and see what `kubectl get pods -n ms5-database` says",
    exitCode: ExitCode.environment,
  });
}

/** @returns what is still lacking in the end */
async function untilWhole(options: RunOptions): Promise<string[]> {
  const deadline = now() + wholeTimeoutMs;
  for (;;) {
    const lacks = await lacking(options);
    if (lacks.length === 0 || now() > deadline) return lacks;
    await sleep(500, undefined, { signal: options.signal });
  }
}

async function untilTakenOver({ signal }: RunOptions, load: Load, timeline: number): Promise<void> {
  const deadline = now() + takeoverTimeoutMs;
  while (!(await load.wroteAfter(timeline)) && now() < deadline) await sleep(100, undefined, { signal });
}

/** Those that the database does not have. */
async function missing(target: Target, acknowledged: readonly Acknowledged[]): Promise<Acknowledged[]> {
  const least = new Map<string, number>();
  for (const { source, number } of acknowledged) {
    least.set(source, Math.min(number, least.get(source) ?? number));
  }
  return lostOf(acknowledged, await rowsOf(await primaryMember(target), least));
}

function keysOf(acknowledged: readonly Acknowledged[]): ReadonlySet<string> {
  return new Set(acknowledged.map(keyOf));
}
