import { escapeIdentifier } from "../../../infra/schema/postgres";
import type { Queryable } from "../../queryable";
import { type Chunk, columnRatio, readChunks } from "./chunks";
import { maySelect, needsCommunity, readEdition } from "./client";
import {
  adviseColumnstore,
  type ColumnstoreAnswer,
  type ColumnstoreFacts,
  type Segments,
} from "./columnstoreAdvice";
import { type Relation, readRelations } from "./relations";

/**
 * Reads one complete chunk of each hypertable, to count its segments: seconds with millions of rows a chunk. Without SELECT
 * on a table its segments are left out and all else is answered.
 */
export async function readColumnstoreAdvice(client: Queryable, at: Date): Promise<ColumnstoreAnswer> {
  if ((await readEdition(client)) === "apache") return { unavailable: needsCommunity, hypertables: [] };
  const seconds = at.getTime() / 1_000;
  const hypertables: ColumnstoreAnswer["hypertables"] = [];
  for (const relation of await readRelations(client)) {
    const facts = await readFacts(client, relation, seconds);
    hypertables.push({
      name: facts.name,
      kind: facts.kind,
      enabled: facts.settings !== null,
      ratio: columnRatio(facts.chunks),
      rowsPerSegment: facts.segments && facts.segments.rows / Math.max(1, facts.segments.segments),
      advice: adviseColumnstore(facts, seconds),
    });
  }
  return { unavailable: null, hypertables };
}

async function readFacts(client: Queryable, relation: Relation, at: number): Promise<ColumnstoreFacts> {
  const chunks = await readChunks(client, relation);
  const settings = await readSettings(client, relation);
  const complete = chunks.filter(({ to }) => to <= at);
  const sample = complete.findLast(({ columns }) => columns) ?? complete.at(-1);
  const key = relation.kind === "table" ? await readKey(client, relation) : [];
  const segmentBy = settings?.segmentBy ?? [];
  const count = (columns: readonly string[]) =>
    sample === undefined ? null : readSegments(client, relation, columns, sample);
  const differs = key.length > 0 && !key.every((column) => segmentBy.includes(column));
  return {
    name: relation.name,
    kind: relation.kind,
    timeColumn: relation.timeColumn,
    chunkSeconds: relation.chunkSeconds,
    columnstoreAfterSeconds: relation.columnstoreAfterSeconds,
    retentionSeconds: relation.retentionSeconds,
    refreshStartSeconds: relation.refresh?.startSeconds ?? null,
    settings,
    chunks,
    segments: settings === null ? null : await count(segmentBy),
    byKey: settings !== null && differs ? await count(key) : null,
    changedRows: await readChangedRows(
      client,
      complete.filter(({ columns }) => !columns),
    ),
  };
}

async function readSettings(
  client: Queryable,
  { storage }: Relation,
): Promise<{ segmentBy: string[]; orderBy: string[] } | null> {
  const { rows } = await client.query<{ segmentby: string | null; orderby: string | null }>(
    `SELECT segmentby, orderby FROM timescaledb_information.hypertable_columnstore_settings
      WHERE hypertable = $1::regclass AND (segmentby IS NOT NULL OR orderby IS NOT NULL)`,
    [storage.regclass],
  );
  const list = (text: string | null) => (text ?? "").split(",").flatMap((one) => one.trim() || []);
  return rows[0] === undefined
    ? null
    : { segmentBy: list(rows[0].segmentby), orderBy: list(rows[0].orderby) };
}

/** Columns of the primary key, without time: what single series are looked up by. */
async function readKey(client: Queryable, { storage, timeColumn }: Relation): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT a.attname AS name
       FROM pg_index i
      CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
      WHERE i.indrelid = $1::regclass AND i.indisprimary AND a.attname <> $2
      ORDER BY k.place`,
    [storage.regclass, timeColumn],
  );
  return rows.map(({ name }) => name);
}

/** Names of columns and tables are the catalogue's own, and quoted; times are parameters. */
async function readSegments(
  client: Queryable,
  { regclass, storage, timeColumn }: Relation,
  columns: readonly string[],
  { from, to }: Chunk,
): Promise<Segments | null> {
  if (!(await maySelect(client, storage.regclass))) return null;
  const time = escapeIdentifier(timeColumn);
  const { rows } = await client.query<{ rows: number; segments: number }>(
    `SELECT coalesce(sum(n), 0)::float8 AS rows, count(*)::float8 AS segments
       FROM (SELECT count(*) AS n FROM ${storage.regclass}
              WHERE ${time} >= to_timestamp($1) AND ${time} < to_timestamp($2)
              ${columns.length === 0 ? "" : `GROUP BY ${columns.map(escapeIdentifier).join(", ")}`}) AS segment`,
    [from, to],
  );
  const counted = rows[0];
  if (counted === undefined) throw new Error(`no answer to the count of ${regclass}'s segments`);
  return { columns, ...counted };
}

async function readChangedRows(client: Queryable, chunks: readonly Chunk[]): Promise<number | null> {
  const { rows } = await client.query<{ changed: number | null }>(
    `SELECT sum(n_tup_upd + n_tup_del)::float8 AS changed FROM pg_stat_all_tables
      WHERE relid = ANY (SELECT to_regclass(name)::oid FROM unnest($1::text[]) AS name)`,
    [chunks.map(({ name }) => name)],
  );
  return rows[0]?.changed ?? null;
}
