/** Signs of two primaries, and of lost writes, in everything that was acknowledged by anyone. Pure. */
import type { Acknowledged } from "./journal";

/** Names a write. */
export function keyOf({ source, number }: Pick<Acknowledged, "source" | "number">): string {
  return `${source} ${number}`;
}

/** Acknowledged writes that the database does not have. */
export function lostOf(acknowledged: readonly Acknowledged[], present: ReadonlySet<string>): Acknowledged[] {
  return acknowledged.filter((one) => !present.has(keyOf(one)));
}

/**
 * Acknowledgements that only a second primary can have given:
 *
 * - by another member than the first one that wrote on the same timeline;
 * - of a write that was sent when a newer timeline had acknowledged one already;
 * - of a write that came back later than that, and was lost. One that was not lost was only long on its way.
 *
 * @param lost keys of writes that are missing in the end
 */
export function conflictsOf(
  acknowledged: readonly Acknowledged[],
  lost: ReadonlySet<string>,
): Acknowledged[] {
  const firsts = firstOfEachTimeline(acknowledged);
  const timelines = [...firsts.keys()].sort((a, b) => a - b);
  // The moment from which nothing older than each may write.
  const overFrom = new Map<number, number>();
  let earliest = Number.POSITIVE_INFINITY;
  for (const timeline of timelines.toReversed()) {
    overFrom.set(timeline, earliest);
    earliest = Math.min(earliest, firsts.get(timeline)?.acknowledged ?? earliest);
  }
  return acknowledged.filter((one) => {
    const over = overFrom.get(one.timeline) ?? Number.POSITIVE_INFINITY;
    const owner = firsts.get(one.timeline)?.server;
    return one.server !== owner || one.sent > over || (one.acknowledged > over && lost.has(keyOf(one)));
  });
}

function firstOfEachTimeline(acknowledged: readonly Acknowledged[]): Map<number, Acknowledged> {
  const firsts = new Map<number, Acknowledged>();
  for (const one of acknowledged) {
    const first = firsts.get(one.timeline);
    if (first === undefined || one.acknowledged < first.acknowledged) firsts.set(one.timeline, one);
  }
  return firsts;
}
