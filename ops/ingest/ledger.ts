import type { Client } from "../../infra/schema/postgres";
import type { Samples } from "./batch";

/** How far a file has been ingested: a row of `factory_telemetry.ingest_files`. */
export interface Progress {
  readonly records: number;
  readonly rows: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly finished: boolean;
}

/** Somebody else has moved this file's ledger on since it was read. */
export class Overtaken extends Error {}

const columns = `records_done::float8 AS records, rows_written::float8 AS rows, rows_duplicate::float8 AS duplicates,
  records_rejected::float8 AS rejected, finished_at IS NOT NULL AS finished`;

/** The file's progress; a row is made where there is none. */
export async function openLedger(client: Client, fingerprint: string, fileName: string): Promise<Progress> {
  await client.query(
    "INSERT INTO factory_telemetry.ingest_files (fingerprint, file_name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    [fingerprint, fileName],
  );
  const { rows } = await client.query<Progress>(
    `SELECT ${columns} FROM factory_telemetry.ingest_files WHERE fingerprint = $1`,
    [fingerprint],
  );
  const [progress] = rows;
  if (progress === undefined) throw new Error(`ledger row of ${fileName} vanished`);
  return progress;
}

/**
 * Locks the file's row for this transaction and proves that it still stands at `records`. Whoever comes second, of two
 * ingests of the same file, waits here for the first one's batch and then learns that it was overtaken. A lock in the
 * row needs no session of its own, so it works through a transaction pooler and on the embedded database too.
 *
 * @throws Overtaken
 */
export async function lockLedger(client: Client, fingerprint: string, records: number): Promise<void> {
  const { rows } = await client.query<Progress>(
    `SELECT ${columns} FROM factory_telemetry.ingest_files WHERE fingerprint = $1 FOR UPDATE`,
    [fingerprint],
  );
  if (rows[0]?.records !== records || rows[0].finished) throw new Overtaken();
}

/**
 * Adds a batch's counts and the times of its samples; in the transaction that writes the batch. A sample that made no row
 * was there already.
 */
export async function advanceLedger(
  client: Client,
  fingerprint: string,
  counts: Pick<Progress, "records" | "rows" | "rejected">,
  { times, length }: Pick<Samples, "times" | "length">,
): Promise<void> {
  const seconds = { first: null as number | null, last: null as number | null };
  for (let i = 0; i < length; i += 1) {
    const second = (times[i] ?? 0) / 1_000_000;
    if (seconds.first === null || second < seconds.first) seconds.first = second;
    if (seconds.last === null || second > seconds.last) seconds.last = second;
  }
  // least() and greatest() pass over nulls.
  await client.query(
    `UPDATE factory_telemetry.ingest_files SET records_done = records_done + $2, rows_written = rows_written + $3,
       rows_duplicate = rows_duplicate + $4, records_rejected = records_rejected + $5,
       first_ts = least(first_ts, to_timestamp($6)), last_ts = greatest(last_ts, to_timestamp($7)),
       aggregated = aggregated AND $3 = 0
     WHERE fingerprint = $1`,
    [
      fingerprint,
      counts.records,
      counts.rows,
      length - counts.rows,
      counts.rejected,
      seconds.first,
      seconds.last,
    ],
  );
}

export async function finishLedger(client: Client, fingerprint: string): Promise<void> {
  await client.query(
    "UPDATE factory_telemetry.ingest_files SET finished_at = clock_timestamp() WHERE fingerprint = $1 AND finished_at IS NULL",
    [fingerprint],
  );
}

/**
 * Starts a finished file over: it had rejects, and what made them bad (the allowed range of time) may have changed. Its
 * good rows are found to be duplicates.
 */
export async function reopenLedger(client: Client, fingerprint: string): Promise<void> {
  await client.query(
    `UPDATE factory_telemetry.ingest_files SET records_done = 0, rows_written = 0, rows_duplicate = 0,
       records_rejected = 0, finished_at = NULL, started_at = clock_timestamp()
     WHERE fingerprint = $1 AND finished_at IS NOT NULL`,
    [fingerprint],
  );
}
