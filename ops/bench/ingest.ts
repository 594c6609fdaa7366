import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { from as copyFrom } from "pg-copy-streams";
import { type Client, withClient } from "../../infra/schema/postgres";
import { ingestFiles } from "../ingest";
import { Batch } from "../ingest/batch";
import { type Row, toArrays, toCopy } from "../ingest/binary";
import { type Case, interleaved, perSecond, type Summary } from "./measure";
import type { Result } from "./report";
import { serverFromEnvironment } from "./server";
import { deploySchema, withThrowaway } from "./throwaway";
import type { Bench, BenchContext } from "./types";

const batchRows = 1_000;
/** Rows a measurement writes: enough to last some tenths of a second. */
const rowsOf = { single: 300, unnest: 20_000, copy: 200_000 };
const csv = { records: 20_000, columns: 8 };
const series = 1_000;
const [keyed, keyless] = ["ms5_bench.keyed", "ms5_bench.keyless"];
const perSecondGoal = 1_000;
const times = { unnest: 40, copy: 100 };

/** Rows a second by each way in, one client. */
export const ingest: Bench = async (context) => {
  const server = serverFromEnvironment(process.env);
  const settings = {
    database: server === undefined ? "embedded TimescaleDB" : "the server of MS5_BENCH_DATABASE_URL",
    "rows a measurement": `${rowsOf.single} one by one (a transaction each), ${rowsOf.unnest} by UNNEST, ${rowsOf.copy} by COPY`,
    series,
  };
  const results = await (server === undefined
    ? withThrowaway(context.log, async ({ target, folder }) => [
        ...(await withClient(target, (client) => ways(client, context, false))),
        await endToEnd(target, folder, context),
      ])
    : withClient(server, async (client) => [
        ...(await ways(client, context, true)),
        {
          case: endToEndName,
          notMeasured: "needs the deployed schema, which a benchmark does not make on a real server",
        },
      ]));
  return { settings, results };
};

async function ways(client: Client, { runs, warmUps }: BenchContext, copies: boolean): Promise<Result[]> {
  await client.query("DROP SCHEMA IF EXISTS ms5_bench CASCADE");
  await client.query("CREATE SCHEMA ms5_bench");
  try {
    for (const table of [keyed, keyless]) await createTable(client, table);
    const measured = await interleaved(
      [keyed, keyless].flatMap((table): Case[] => [
        { name: `single ${table}`, measure: () => single(client, table) },
        { name: `unnest ${table}`, measure: () => unnest(client, table) },
        ...(copies ? [{ name: `copy ${table}`, measure: () => copy(client, table) }] : []),
      ]),
      { runs, warmUps },
    );
    return [keyed, keyless].flatMap((table) => resultsOf(measured, table));
  } finally {
    await client.query("DROP SCHEMA ms5_bench CASCADE");
  }
}

/** As `factory_telemetry.metric_hist`, with its key or without. */
async function createTable(client: Client, table: string): Promise<void> {
  await client.query(
    `CREATE TABLE ${table} (ts timestamptz NOT NULL, value real NOT NULL CHECK (value > '-Infinity' AND value < 'Infinity'),
       machine_id smallint NOT NULL, metric_id smallint NOT NULL ${table === keyed ? ", PRIMARY KEY (machine_id, metric_id, ts)" : ""})`,
  );
  await client.query(
    `SELECT create_hypertable('${table}', by_range('ts', interval '30 days'), create_default_indexes => false)`,
  );
}

function resultsOf(measured: ReadonlyMap<string, Summary>, table: string): Result[] {
  const key = table === keyed ? "unique key" : "no key";
  const one = measured.get(`single ${table}`);
  const many = measured.get(`unnest ${table}`);
  const copied = measured.get(`copy ${table}`);
  if (one === undefined || many === undefined) throw new Error(`nothing was measured on ${table}`);
  return [
    {
      case: `single-row INSERT, ${key}`,
      unit: "rows/s",
      ...one,
      goal: `> ${perSecondGoal} rows/s`,
      met: one.median > perSecondGoal,
    },
    timesFaster(`UNNEST of ${batchRows}, ${key}`, many, one, times.unnest),
    copied === undefined
      ? {
          case: `COPY, ${key}`,
          notMeasured:
            "COPY FROM STDIN crashes the embedded database; set MS5_BENCH_DATABASE_URL to a real server",
        }
      : timesFaster(`COPY, ${key}`, copied, one, times.copy),
  ];
}

function timesFaster(name: string, summary: Summary, one: Summary, goal: number): Result {
  const value = summary.median / one.median;
  return {
    case: name,
    unit: "rows/s",
    ...summary,
    ratio: { value, of: "single-row" },
    goal: `>= ${goal}x single-row`,
    met: value >= goal,
  };
}

/** Rows nobody has written yet, in the order a gateway sends them: all series of an instant, then the next. */
let nextInstant = Date.UTC(2026, 2, 2) * 1_000;
function freshRows(count: number): Row {
  const batch = new Batch(0, count);
  for (let n = 0; n < count; n += 1) {
    if (n % series === 0) nextInstant += 10_000_000;
    batch.push(nextInstant, Math.round(Math.sin(n) * 10_000) / 100, 0, n % series);
  }
  const metricIds = Array.from({ length: series }, (_, n) => n + 1);
  return { samples: batch, machineIds: [1], metricIds };
}

async function single(client: Client, table: string): Promise<number> {
  const { samples, metricIds } = freshRows(rowsOf.single);
  return perSecond(rowsOf.single, async () => {
    for (let n = 0; n < samples.length; n += 1) {
      await client.query({
        name: `single ${table}`,
        text: `INSERT INTO ${table} (ts, value, machine_id, metric_id) VALUES ($1, $2, $3, $4)`,
        values: [
          new Date((samples.times[n] ?? 0) / 1_000),
          samples.values[n],
          1,
          metricIds[samples.metrics[n] ?? 0],
        ],
      });
    }
  });
}

async function unnest(client: Client, table: string): Promise<number> {
  const batches = Array.from({ length: rowsOf.unnest / batchRows }, () => freshRows(batchRows));
  return perSecond(rowsOf.unnest, async () => {
    for (const batch of batches) {
      await client.query({
        name: `unnest ${table}`,
        text: `INSERT INTO ${table} (ts, value, machine_id, metric_id)
               SELECT * FROM unnest($1::timestamptz[], $2::real[], $3::smallint[], $4::smallint[])`,
        values: toArrays(batch),
      });
    }
  });
}

async function copy(client: Client, table: string): Promise<number> {
  const rows = freshRows(rowsOf.copy);
  return perSecond(rowsOf.copy, async () => {
    const stream = client.query(
      copyFrom(`COPY ${table} (ts, value, machine_id, metric_id) FROM STDIN (FORMAT binary)`),
    );
    await pipeline([toCopy(rows)], stream);
  });
}

const endToEndName = `npm run ingest: a wide CSV of ${csv.columns} metrics, read, checked and written`;

async function endToEnd(
  target: Parameters<typeof deploySchema>[0],
  folder: string,
  { runs, warmUps, log }: BenchContext,
): Promise<Result> {
  const config = await deploySchema(target);
  let files = 0;
  const measure = async (): Promise<number> => {
    files += 1;
    const file = join(folder, `line-${files}.csv`);
    await writeCsv(file, Date.UTC(2026, 2, files));
    const result = await ingestFiles({
      target,
      files: [file],
      machine: "bench",
      allowed: {
        earliest: new Date(`${config.ingest.earliest}T00:00:00Z`),
        latest: new Date(Date.UTC(2100, 0)),
      },
      rejects: join(folder, "rejects"),
      log: { info: () => undefined, warn: log.warn },
    });
    if (result.rows !== csv.records * csv.columns) throw new Error(`${result.rows} samples arrived`);
    return result.rowsPerSecond;
  };
  const summary = (await interleaved([{ name: endToEndName, measure }], { runs, warmUps })).get(endToEndName);
  if (summary === undefined) throw new Error("nothing was measured");
  return {
    case: endToEndName,
    unit: "samples/s",
    ...summary,
    goal: `> ${perSecondGoal} rows/s`,
    met: summary.median > perSecondGoal,
  };
}

async function writeCsv(file: string, start: number): Promise<void> {
  const out = createWriteStream(file);
  out.write(`time;${Array.from({ length: csv.columns }, (_, n) => `Metric ${n + 1}`).join(";")}\n`);
  for (let record = 0; record < csv.records; record += 1) {
    const cells = Array.from({ length: csv.columns }, (_, n) =>
      (20 * n + 5 * Math.sin(record / 600 + n)).toFixed(2),
    );
    const line = `${new Date(start + record * 1_000).toISOString()};${cells.join(";")}\n`;
    if (!out.write(line)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
}
