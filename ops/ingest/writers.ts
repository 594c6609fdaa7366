import { pipeline } from "node:stream/promises";
import { from as copyFrom } from "pg-copy-streams";
import type { Client, ConnectionTarget } from "../../infra/schema/postgres";
import { type Row, toArrays, toCopy } from "./binary";

/** Writes samples inside the transaction that is open. Returns how many were new; the others were there already. */
export interface Writer {
  /** Samples a batch should hold: larger ones gain nothing. */
  readonly batchSamples: number;
  write(client: Client, row: Row): Promise<number>;
}

export function createWriter(target: Pick<ConnectionTarget, "singleSession">): Writer {
  return target.singleSession ? createUnnestWriter() : createCopyWriter();
}

const table = "factory_telemetry.metric_hist";

/** For the embedded database, which COPY FROM STDIN would crash. */
function createUnnestWriter(): Writer {
  return {
    batchSamples: 10_000,
    async write(client, row) {
      const { rowCount } = await client.query({
        name: "ms5-ingest-unnest",
        text: `INSERT INTO ${table} (ts, value, machine_id, metric_id)
          SELECT * FROM unnest($1::timestamptz[], $2::real[], $3::smallint[], $4::smallint[]) ON CONFLICT DO NOTHING`,
        values: toArrays(row),
      });
      return rowCount ?? 0;
    },
  };
}

const uniqueViolation = "23505";

/**
 * For servers. New data goes straight into the table at COPY's full speed; COPY cannot pass over duplicates, so at the
 * first one the batch is rolled back to a savepoint and goes through a temporary table, as do those behind it: a file
 * that overlaps what is there usually does so for long. After some batches without duplicates it goes straight again.
 */
export function createCopyWriter(): Writer {
  const cleanBatchesUntilStraight = 4;
  let staged = 0;
  return {
    batchSamples: 20_000,
    async write(client, row) {
      if (staged === 0) {
        await client.query("SAVEPOINT straight");
        try {
          await copy(client, table, row);
          await client.query("RELEASE SAVEPOINT straight");
          return row.samples.length;
        } catch (error) {
          if ((error as { code?: string }).code !== uniqueViolation) throw error;
          await client.query("ROLLBACK TO SAVEPOINT straight");
        }
      }
      const inserted = await copyStaged(client, row);
      staged = inserted < row.samples.length ? cleanBatchesUntilStraight : Math.max(0, staged - 1);
      return inserted;
    },
  };
}

async function copyStaged(client: Client, row: Row): Promise<number> {
  await client.query(
    "CREATE TEMPORARY TABLE ms5_ingest (ts timestamptz, value real, machine_id smallint, metric_id smallint) ON COMMIT DROP",
  );
  await copy(client, "ms5_ingest", row);
  const { rowCount } = await client.query(
    `INSERT INTO ${table} (ts, value, machine_id, metric_id)
     SELECT ts, value, machine_id, metric_id FROM ms5_ingest ON CONFLICT DO NOTHING`,
  );
  return rowCount ?? 0;
}

async function copy(client: Client, into: string, row: Row): Promise<void> {
  const stream = client.query(
    copyFrom(`COPY ${into} (ts, value, machine_id, metric_id) FROM STDIN (FORMAT binary)`),
  );
  await pipeline([toCopy(row)], stream);
}
