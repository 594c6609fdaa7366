/** What a retention would delete, without deleting it. */
import { z } from "zod";
import { knownInterval } from "../../../infra/config/knownInterval";
import { type AggregateName, aggregates as ours } from "../../../infra/schema/catalogue";
import { interval } from "../../../infra/units";
import type { Queryable } from "../../queryable";
import { readChunks, sum } from "./chunks";
import { maySelect, needsCommunity, readEdition } from "./client";
import { type Aggregate, type Dependent, dependentsOf, type Span } from "./dependents";
import { daySeconds } from "./intake";
import { findRelation, type Relation, readRelations } from "./relations";
import { estimateRows } from "./rowEstimate";

export interface RetentionInput {
  /** Table or aggregate, without its schema. */
  readonly hypertable: string;
  readonly keepSeconds: number;
}

const instant = z.iso.datetime();
const span = z.strictObject({ from: instant, to: instant });

export const retentionOutput = z.strictObject({
  hypertable: z.string(),
  keepSeconds: z.number().positive(),
  /** Chunks that end at this time or before are deleted whole; all others stay whole. */
  cutoff: instant,
  chunks: z.number().int().nonnegative(),
  /** Estimated; null: nothing tells. */
  rows: z.number().nonnegative().nullable(),
  /** Freed on disk at once. */
  bytes: z.number().nonnegative(),
  /** Of these, bytes that are columns. */
  compressedBytes: z.number().nonnegative(),
  /** Time of the chunks that go; null: none does. */
  from: instant.nullable(),
  to: instant.nullable(),
  dependents: z.array(
    z.strictObject({
      name: z.string(),
      source: z.string(),
      realtime: z.boolean(),
      holds: span.nullable(),
      loses: span.nullable(),
      refreshErases: z.boolean(),
      explanation: z.string(),
    }),
  ),
  warnings: z.array(z.string()),
});
export type RetentionAnswer = z.infer<typeof retentionOutput>;

/**
 * Asks show_chunks, which goes by the rule of drop_chunks: a chunk goes when its END is not younger than the age. Needs
 * USAGE on the telemetry schema, and SELECT on the aggregates to know what they have stored. Works on both editions.
 *
 * @throws UserError when there is no such hypertable
 */
export async function simulateRetention(
  client: Queryable,
  { hypertable, keepSeconds, at }: RetentionInput & { readonly at: Date },
): Promise<RetentionAnswer> {
  const relation = await findRelation(client, hypertable);
  const cutoff = new Date(at.getTime() - keepSeconds * 1_000);
  const all = await readChunks(client, relation);
  const { rows: shown } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, k.relname) AS name
       FROM show_chunks($1::regclass, older_than => $2::timestamptz) AS chunk
       JOIN pg_class k ON k.oid = chunk JOIN pg_namespace n ON n.oid = k.relnamespace`,
    [relation.regclass, cutoff.toISOString()],
  );
  const names = new Set(shown.map(({ name }) => name));
  const gone = all.filter(({ name }) => names.has(name));
  const deleted = covered(gone);
  const aggregates = deleted === null ? [] : await readAggregates(client);
  const dependents = deleted === null ? [] : dependentsOf(hypertable, deleted, keepSeconds, aggregates);
  return {
    hypertable,
    keepSeconds,
    cutoff: cutoff.toISOString(),
    chunks: gone.length,
    rows: await estimateRows(client, relation, gone, all),
    bytes: sum(gone.map(({ bytes }) => bytes)),
    compressedBytes: sum(gone.filter(({ columns }) => columns).map(({ bytes }) => bytes)),
    from: deleted && iso(deleted.from),
    to: deleted && iso(deleted.to),
    dependents: dependents.map(told),
    warnings: [
      ...warnings(relation, keepSeconds, dependents),
      ...((await readEdition(client)) === "apache"
        ? [`${needsCommunity}: drop_chunks has to be called by hand`]
        : []),
    ],
  };
}

/** What speaks against a retention, whatever it deletes now. Pure. */
export function warnings(
  relation: Relation,
  keepSeconds: number,
  dependents: readonly Dependent[],
): string[] {
  const { name, chunkSeconds, columnstoreAfterSeconds, retentionSeconds, refresh } = relation;
  const keep = interval(keepSeconds).text;
  const told: string[] = [];
  if (retentionSeconds !== null && retentionSeconds <= keepSeconds)
    told.push(`the policy of ${name} deletes after ${interval(retentionSeconds).text} already`);
  if (keepSeconds < chunkSeconds)
    told.push(
      `chunks of ${interval(chunkSeconds).text} are longer than ${keep}: rows would stay up to ${interval(keepSeconds + chunkSeconds).text}`,
    );
  if (columnstoreAfterSeconds !== null && keepSeconds <= columnstoreAfterSeconds)
    told.push(
      `chunks would be deleted before they become columns (after ${interval(columnstoreAfterSeconds).text}): the config refuses that`,
    );
  if (refresh !== null && (refresh.startSeconds ?? Number.POSITIVE_INFINITY) >= keepSeconds)
    told.push(`the refresh of ${name} looks back longer than ${keep}: it would bring back what is deleted`);
  for (const { aggregate, loses, refreshErases } of dependents) {
    if (loses !== null)
      told.push(`${aggregate.name} would lose ${iso(loses.from)} to ${iso(loses.to)}: refresh it first`);
    if (refreshErases)
      told.push(
        `the refresh of ${aggregate.name} would erase its history: shorten startOffset below ${keep} first`,
      );
  }
  return told;
}

function covered(chunks: readonly Span[]): Span | null {
  const [first, last] = [chunks[0], chunks.at(-1)];
  return first === undefined || last === undefined ? null : { from: first.from, to: last.to };
}

function told({ aggregate, holds, loses, refreshErases, explanation }: Dependent) {
  const { name, source, realtime } = aggregate;
  const times = (of: Span | null) => of && { from: iso(of.from), to: iso(of.to) };
  return { name, source, realtime, holds: times(holds), loses: times(loses), refreshErases, explanation };
}

interface AggregateRow {
  readonly view: string;
  readonly source: string;
  readonly realtime: boolean;
  readonly storage_id: number;
}

async function readAggregates(client: Queryable): Promise<Aggregate[]> {
  const relations = (await readRelations(client)).filter(({ kind }) => kind === "aggregate");
  const { rows } = await client.query<AggregateRow>(aggregatesQuery);
  const aggregates: Aggregate[] = [];
  for (const { name, regclass, refresh } of relations) {
    const row = rows.find(({ view }) => view === regclass);
    if (row === undefined) continue;
    const bucket = name in ours ? ours[name as AggregateName].bucket : undefined;
    aggregates.push({
      name,
      source: row.source,
      realtime: row.realtime,
      bucketSeconds: bucket === undefined ? null : knownInterval(bucket).seconds,
      materialisedUntil: (await maySelect(client, regclass))
        ? await readWatermark(client, row.storage_id)
        : null,
      refreshStartSeconds: refresh === null ? undefined : refresh.startSeconds,
    });
  }
  return aggregates;
}

/** Nothing is stored yet when it is older than any telemetry: TimescaleDB then gives the beginning of its time. */
async function readWatermark(client: Queryable, storageId: number): Promise<number> {
  const { rows } = await client.query<{ at: number }>(
    `SELECT extract(epoch FROM _timescaledb_functions.to_timestamp(_timescaledb_functions.cagg_watermark($1)))::float8 AS at`,
    [storageId],
  );
  const at = rows[0]?.at ?? Number.NEGATIVE_INFINITY;
  return at < -100 * 365 * daySeconds ? Number.NEGATIVE_INFINITY : at;
}

/** An aggregate over an aggregate names the hypertable behind it; that one's number is part of its name. */
const aggregatesQuery = `
  SELECT format('%I.%I', a.view_schema, a.view_name) AS view, coalesce(below.view_name, a.hypertable_name) AS source,
         NOT a.materialized_only AS realtime,
         substring(a.materialization_hypertable_name FROM '[0-9]+$')::int AS storage_id
    FROM timescaledb_information.continuous_aggregates a
    LEFT JOIN timescaledb_information.continuous_aggregates below
      ON below.materialization_hypertable_schema = a.hypertable_schema
     AND below.materialization_hypertable_name = a.hypertable_name`;

function iso(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
