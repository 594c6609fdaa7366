/** What a fault did, from what clients noted meanwhile. Pure. */
import type { Acknowledged, Failed } from "./journal";
import { factsOf, type Kind } from "./kinds";

/** When what happened, on the clock of the notes. */
export interface Times {
  /** Just before the fault. */
  readonly begun: number;
  /** It was there completely. */
  readonly inflicted: number;
  /** Just before it was undone. */
  readonly healing: number;
  /** The cluster was whole again. */
  readonly whole: number;
}

/** What clients noted from the fault until the cluster was whole. */
export interface Seen {
  readonly acknowledged: readonly Acknowledged[];
  readonly failed: readonly Failed[];
  /** The newest before the fault. */
  readonly timeline: number;
}

export interface Outcome {
  /** Milliseconds, as the kind's `measure` says; undefined when nothing was acknowledged again. */
  readonly ms: number | undefined;
  readonly clientErrors: number;
  /** What should not have happened. */
  readonly problems: readonly string[];
}

export function evaluate(kind: Kind, times: Times, seen: Seen): Outcome {
  const newer = seen.acknowledged.filter(({ timeline }) => timeline > seen.timeline);
  const problems: string[] = [];
  if (factsOf(kind).primaryStays && newer.length > 0) problems.push("the primary changed");
  if (kind === "lose-two") {
    const alone = seen.acknowledged.filter(
      ({ sent, acknowledged }) => sent > times.inflicted && acknowledged < times.healing,
    );
    if (alone.length > 0) problems.push(`one member alone acknowledged ${alone.length} writes`);
  }
  return {
    ms: measured(kind, times, seen.acknowledged, newer),
    clientErrors: seen.failed.filter(({ failed }) => failed >= times.begun).length,
    problems,
  };
}

function measured(
  kind: Kind,
  { begun, healing, whole }: Times,
  acknowledged: readonly Acknowledged[],
  newer: readonly Acknowledged[],
): number | undefined {
  const { measure } = factsOf(kind);
  if (measure === "return") return firstAfter(healing, acknowledged);
  if (measure === "takeover" && newer.length > 0) return firstAfter(begun, newer);
  return longestGap(acknowledged, begun, whole);
}

/** Milliseconds from `start` to the first of them after it. */
function firstAfter(start: number, acknowledged: readonly Acknowledged[]): number | undefined {
  const after = acknowledged.map((one) => one.acknowledged - start).filter((ms) => ms > 0);
  return after.length === 0 ? undefined : after.reduce((least, ms) => Math.min(least, ms));
}

/** The longest time without an acknowledgement between two moments; undefined when there was none at all. */
export function longestGap(
  acknowledged: readonly Acknowledged[],
  from: number,
  to: number,
): number | undefined {
  const moments = acknowledged
    .map((one) => one.acknowledged)
    .filter((moment) => moment > from && moment < to)
    .sort((a, b) => a - b);
  if (moments.length === 0) return undefined;
  let longest = 0;
  let last = from;
  for (const moment of [...moments, to]) {
    longest = Math.max(longest, moment - last);
    last = moment;
  }
  return longest;
}
