import { Random } from "../../telemetry/random";
import type { Kind } from "./kinds";

/** One fault to come; everything about it that is left to chance. */
export interface PlannedFault {
  readonly number: number;
  readonly kind: Kind;
  /** Milliseconds to wait before it: Patroni's rounds take a second, and a fault may meet any part of one. */
  readonly delayMs: number;
  /** Milliseconds it lasts; where another primary is awaited, after that one's first write. */
  readonly holdMs: number;
  /** Which of two, where there is a choice. */
  readonly second: boolean;
}

/** Milliseconds that faults of a kind last, from and to. Those that undo themselves are watched for as long. */
const holds: Readonly<Record<Exclude<Kind, "apiserver-down">, readonly [number, number]>> = {
  "kill-postgres": [0, 0],
  // As long as a lock that nobody renewed would take to expire, and some more.
  "kill-patroni": [5_000, 25_000],
  "delete-pod": [0, 0],
  "freeze-node": [500, 8_000],
  "cut-node": [500, 8_000],
  "cut-apiserver": [25_000, 35_000],
  "lose-replica": [8_000, 15_000],
  "lose-two": [5_000, 12_000],
  "slow-disk": [15_000, 20_000],
  switchover: [0, 0],
};

/**
 * The faults of a run: the same for the same arguments. Each kind comes once before any comes again, in an order of each
 * round's own, so that a run that is stopped has still tried all of them about as often.
 *
 * @param apiServerDownMs how long the API server is away
 */
export function schedule(
  seed: number,
  count: number,
  kinds: readonly Kind[],
  apiServerDownMs: number,
): PlannedFault[] {
  const random = new Random(seed);
  const planned: PlannedFault[] = [];
  while (planned.length < count) {
    for (const kind of shuffled(kinds, random)) {
      const [least, most] =
        kind === "apiserver-down" ? ([apiServerDownMs, apiServerDownMs] as const) : holds[kind];
      planned.push({
        number: planned.length + 1,
        kind,
        delayMs: random.integer(500, 3_000),
        holdMs: random.integer(least, most),
        second: random.uniform() < 0.5,
      });
    }
  }
  return planned.slice(0, count);
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, place: random.uniform() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
