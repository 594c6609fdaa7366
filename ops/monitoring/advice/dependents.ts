/** What continuous aggregates keep and lose when rows they are made from are deleted. Pure. */
import { interval } from "../../../infra/units";

/** Seconds since 1970; `to` is not included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Aggregate {
  readonly name: string;
  /** Name of the hypertable or aggregate it is made from. */
  readonly source: string;
  /** null: not one of ours. */
  readonly bucketSeconds: number | null;
  readonly realtime: boolean;
  /** Until when it is computed and stored; -Infinity: nothing is; null: the login may not know. */
  readonly materialisedUntil: number | null;
  /** How far back its policy recomputes; null: from the beginning; undefined: it has no policy. */
  readonly refreshStartSeconds: number | null | undefined;
}

export interface Dependent {
  readonly aggregate: Aggregate;
  /** What of the deleted time it keeps. */
  readonly holds: Span | null;
  /** What is in neither afterwards. */
  readonly loses: Span | null;
  /** Its policy would recompute, and so erase, buckets whose rows are gone. */
  readonly refreshErases: boolean;
  readonly explanation: string;
}

/**
 * Aggregates over a source, and those over them. A refresh recomputes from what the source has: buckets without rows are
 * removed. That is why dropping rows costs nothing of what is materialised, and a refresh over it afterwards does.
 *
 * @param deleted time of the chunks that go
 * @param keepSeconds age up to which rows are kept
 */
export function dependentsOf(
  source: string,
  deleted: Span,
  keepSeconds: number,
  aggregates: readonly Aggregate[],
): Dependent[] {
  return aggregates
    .filter((aggregate) => aggregate.source === source)
    .flatMap((aggregate) => {
      const own = dependent(aggregate, deleted, keepSeconds);
      // What is above is made from this aggregate's rows: it only misses what this one does not have.
      const missing = own.loses;
      const above =
        missing === null
          ? untouched(aggregate.name, deleted, aggregates)
          : dependentsOf(aggregate.name, missing, keepSeconds, aggregates);
      return [own, ...above];
    });
}

function dependent(aggregate: Aggregate, deleted: Span, keepSeconds: number): Dependent {
  const { materialisedUntil, refreshStartSeconds, bucketSeconds, name } = aggregate;
  const refreshErases =
    refreshStartSeconds === null || (refreshStartSeconds !== undefined && refreshStartSeconds > keepSeconds);
  const until = materialisedUntil ?? deleted.from;
  const holds = span(deleted.from, Math.min(deleted.to, until));
  const loses = materialisedUntil === null ? null : span(Math.max(deleted.from, until), deleted.to);
  const sentences = [
    materialisedUntil === null
      ? `what ${name} has stored isn't known: this login may not read it`
      : loses === null
        ? "keeps all of it"
        : `has not stored ${loses.from === deleted.from ? "any" : "the end"} of it: ${aggregate.realtime ? "it answers from the rows, and would stop to" : "it would never get it"}`,
    refreshErases
      ? `its refresh looks back ${refreshStartSeconds == null ? "without end" : interval(refreshStartSeconds).text}, longer than rows would be kept: each run would erase buckets whose rows are gone`
      : "a refresh by hand over that time would erase it",
    ...(bucketSeconds !== null && deleted.to % bucketSeconds !== 0
      ? ["the last bucket would keep only a part of its rows: recomputed, it would change"]
      : []),
  ];
  return { aggregate, holds, loses, refreshErases, explanation: sentences.join("; ") };
}

function untouched(source: string, deleted: Span, aggregates: readonly Aggregate[]): Dependent[] {
  return aggregates
    .filter((aggregate) => aggregate.source === source)
    .flatMap((aggregate) => [
      {
        aggregate,
        holds: deleted,
        loses: null,
        refreshErases: false,
        explanation: `is made from ${source}, which keeps all of it`,
      },
      ...untouched(aggregate.name, deleted, aggregates),
    ]);
}

function span(from: number, to: number): Span | null {
  return from < to ? { from, to } : null;
}
