// Bringing continuous aggregates up to date by hand, without erasing what they alone still know: a refresh takes away
// every bucket that its source has no rows for any more.
import { knownInterval } from "../config/knownInterval";
import { type AggregateName, aggregates, qualified } from "./catalogue";
import type { Client } from "./postgres";
import { retentionCutoff } from "./retention";

/** Times from `from` to before `to`. */
export interface Window {
  readonly from: Date;
  readonly to: Date;
}

/**
 * The whole buckets of an aggregate that hold a window and whose source is still whole; undefined when there are none.
 *
 * @param bucketSeconds buckets are counted from 1970-01-01 UTC, as time_bucket does for minutes, hours and days
 * @param cutoff before this, the source's retention policy may have dropped rows
 */
export function wholeBuckets(
  window: Window | undefined,
  bucketSeconds: number,
  cutoff: Date | undefined,
): { readonly from: Date | null; readonly to: Date | null } | undefined {
  const bucket = bucketSeconds * 1_000;
  const starts = [
    ...(window === undefined ? [] : [Math.floor(window.from.getTime() / bucket) * bucket]),
    ...(cutoff === undefined ? [] : [Math.ceil(cutoff.getTime() / bucket) * bucket]),
  ];
  const from = starts.length === 0 ? null : Math.max(...starts);
  const to = window === undefined ? null : Math.ceil(window.to.getTime() / bucket) * bucket;
  if (from !== null && to !== null && from >= to) return undefined;
  return { from: from === null ? null : new Date(from), to: to === null ? null : new Date(to) };
}

/**
 * The statements that bring aggregates up to date, lower levels first; what each is made from must not have been
 * dropped by retention, so older buckets are left as they are.
 *
 * @param names in the order they build on each other
 * @param window undefined: all there is
 */
export async function refreshStatements(
  client: Client,
  names: readonly AggregateName[],
  window?: Window,
): Promise<string[]> {
  const statements: string[] = [];
  for (const name of names) {
    const { source, bucket } = aggregates[name];
    const buckets = wholeBuckets(
      window,
      knownInterval(bucket).seconds,
      await retentionCutoff(client, qualified(source)),
    );
    if (buckets === undefined) continue;
    const [from, to] = [buckets.from, buckets.to].map((at) =>
      at === null ? "NULL" : `'${at.toISOString()}'`,
    );
    statements.push(`CALL refresh_continuous_aggregate('${qualified(name)}', ${from}, ${to})`);
  }
  return statements;
}
