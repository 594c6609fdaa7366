// How long somebody waits to be told of a fault: caused for real, with the real rules and intervals.
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../log";
import { summarise } from "../measure";
import type { Result } from "../report";
import type { Fault, Place } from "./faults";
import type { Watch } from "./watch";

/** Milliseconds until a fault counts as not told, and until one that was ended counts as not over. */
export const limitMs = 20 * 60_000;
const askEachMs = 1_000;
/** Ending a fault is tried so often: something else may just be coming back. */
const undoing = { attempts: 3, pauseMs: 5_000 };

/** The time, for tests that can't wait. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** @throws the signal's reason when that aborts */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

const realClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal && { signal }),
};

export interface Told {
  readonly alert: string;
  readonly severity: Fault["severity"];
  readonly what: string;
  /** Seconds from when the fault began to be caused until Prometheus fired the alert. */
  readonly fires: number | undefined;
  /** The same until Alertmanager had it. */
  readonly told: number | undefined;
  /** Why it could not be measured. */
  readonly problem: string | undefined;
}

export interface AlertsContext {
  readonly place: Place;
  readonly watch: Pick<Watch, "fires" | "isTold">;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/**
 * Causes groups of faults, one group after the other. Whatever happens, all that was caused is ended.
 *
 * @throws the signal's reason when that aborts
 */
export async function timeAlerts(
  groups: readonly (readonly Fault[])[],
  context: AlertsContext,
): Promise<Told[]> {
  const timing = new Timing({ clock: realClock, ...context });
  const told: Told[] = [];
  for (const group of groups) told.push(...(await timing.group(group)));
  return told;
}

/** A fault under way. */
interface Caused {
  readonly fault: Fault;
  readonly begun: number;
  fires?: number;
  told?: number;
}

class Timing {
  constructor(private readonly context: Required<AlertsContext>) {}

  async group(faults: readonly Fault[]): Promise<Told[]> {
    const { place, log, signal, clock } = this.context;
    // An alert of another reason would be taken for ours.
    const before = await this.untilOver(faults);
    const problems = new Map(before.map((fault) => [fault, "it was told before the fault"]));
    const caused = new Map<Fault, Caused>();
    const undo: [Fault, () => Promise<void>][] = [];
    try {
      for (const fault of faults.filter((one) => !before.includes(one))) {
        signal.throwIfAborted();
        log.info(`${fault.alert}: ${fault.what}`);
        const begun = clock.now();
        try {
          undo.unshift([fault, await fault.cause(place)]);
          caused.set(fault, { fault, begun });
        } catch (error) {
          problems.set(fault, `the fault could not be caused: ${(error as Error).message}`);
        }
      }
      await this.follow([...caused.values()]);
    } finally {
      for (const [fault, end] of undo) await this.end(fault, end);
    }
    for (const { alert } of await this.untilOver(undo.map(([fault]) => fault))) {
      log.warn(`${alert} is still told ${limitMs / 60_000} minutes after its fault was ended`);
    }
    return faults.map((fault) => {
      const { alert, severity, what } = fault;
      const { fires, told } = caused.get(fault) ?? {};
      return { alert, severity, what, fires, told, problem: problems.get(fault) };
    });
  }

  /** Until each is told, or its time is up. */
  private async follow(caused: readonly Caused[]): Promise<void> {
    const { watch, log, signal, clock } = this.context;
    let open = caused;
    while (open.length > 0) {
      signal.throwIfAborted();
      await Promise.all(
        open.map(async (one) => {
          const { alert, severity } = one.fault;
          const [fires, told] = await Promise.all([watch.fires(alert, severity), watch.isTold(alert)]);
          const seconds = (clock.now() - one.begun) / 1_000;
          if (fires && one.fires === undefined) {
            one.fires = seconds;
            log.info(`${alert}: fires after ${Math.round(seconds)} s`);
          }
          if (told) one.told ??= seconds;
        }),
      );
      open = open.filter(
        ({ begun, fires, told }) =>
          (fires === undefined || told === undefined) && clock.now() - begun < limitMs,
      );
      if (open.length > 0) await clock.sleep(askEachMs, signal);
    }
  }

  /** Those that are still told when time is up. */
  private async untilOver(faults: readonly Fault[]): Promise<readonly Fault[]> {
    const { watch, log, signal, clock } = this.context;
    const begun = clock.now();
    let open = faults;
    for (;;) {
      const over = await Promise.all(
        open.map(
          // undefined is no answer, and says nothing.
          async ({ alert, severity }) =>
            (await watch.fires(alert, severity)) === false && (await watch.isTold(alert)) === false,
        ),
      );
      const still = open.filter((_, index) => !over[index]);
      if (still.length > 0 && open === faults) {
        log.info(`waiting until nobody tells of ${still.map(({ alert }) => alert).join(", ")}`);
      }
      open = still;
      if (open.length === 0 || clock.now() - begun >= limitMs) return open;
      await clock.sleep(askEachMs, signal);
    }
  }

  /** Never throws: others have to be ended too. */
  private async end({ alert, what }: Fault, undo: () => Promise<void>): Promise<void> {
    const { log, clock } = this.context;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await undo();
        return;
      } catch (error) {
        if (attempt === undoing.attempts) {
          log.warn(`${alert} could not be undone (${what}): ${(error as Error).message}`);
          return;
        }
        // Without the signal: what was begun is ended also after Ctrl-C.
        await clock.sleep(undoing.pauseMs);
      }
    }
  }
}

/** What stands in a row instead of a number. Pure. */
function whyNot(problem: string | undefined): string {
  return `not told: ${problem ?? `within ${limitMs / 60_000} minutes`}`;
}

/** A sentence for each that nobody was told of. Pure. */
export function notTold(all: readonly Told[]): string[] {
  return all
    .filter(({ told }) => told === undefined)
    .map(({ alert, what, problem }) => `${alert}, when ${what}: ${whyNot(problem)}`);
}

/** Pure. */
export function alertRows(all: readonly Told[]): Result[] {
  const row = (name: string, seconds: number | undefined, problem: string | undefined): Result =>
    seconds === undefined
      ? { case: name, notMeasured: whyNot(problem) }
      : { case: name, unit: "s", ...summarise([seconds]) };
  return all.flatMap(({ alert, severity, what, fires, told, problem }) => [
    row(`${alert} (${severity}) fires: ${what}`, fires, problem),
    row(`${alert} is told by Alertmanager`, told, problem),
  ]);
}
