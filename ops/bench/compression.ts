import { type Client, withClient } from "../../infra/schema/postgres";
import { convertToColumnstore } from "./columnstore";
import { factoryOf, samplesQuery } from "./factory";
import type { Measured } from "./report";
import { filesOf, readSamples, telemetryFolder } from "./telemetryFiles";
import { withThrowaway } from "./throwaway";
import type { Bench } from "./types";

interface DataSet {
  readonly name: string;
  readonly chunkInterval: string;
  /** Share of the row store's bytes, for the schema's own choice. */
  readonly goal: number | undefined;
  /** Fills `ms5_bench.source (ts, value double precision, machine_id, metric_id)`. */
  fill(client: Client): Promise<void>;
}

interface Variant {
  readonly type: "real" | "double precision";
  readonly segmentBy: string;
  readonly orderBy: string;
}

/** The schema's choice first: sql/migrations/0003 and the defaults of infra/environments.ts. */
const chosen: Variant = { type: "real", segmentBy: "machine_id, metric_id", orderBy: "ts DESC" };
const variants: readonly Variant[] = [
  chosen,
  { ...chosen, type: "double precision" },
  { ...chosen, segmentBy: "machine_id" },
  { ...chosen, segmentBy: "machine_id", orderBy: "metric_id, ts DESC" },
  { ...chosen, type: "double precision", segmentBy: "machine_id" },
];

/** Bytes of the columnstore as a share of the row store's, for what the schema chose and what it might have chosen. */
export const compression: Bench = async ({ log, rows }) =>
  withThrowaway(log, async ({ target }) => {
    const folder = telemetryFolder(process.env);
    const factory = factoryOf(rows, 2);
    const sets: DataSet[] = [
      ...realSets(folder),
      {
        name: "synthetic factory, 1-day chunks",
        chunkInterval: "1 day",
        goal: 0.04,
        fill: async (client) => {
          await client.query(`INSERT INTO ms5_bench.source ${samplesQuery(factory)}`);
        },
      },
    ];
    const results: Measured[] = [];
    for (const set of sets) {
      log.info(set.name);
      results.push(...(await withClient(target, (client) => measureSet(client, set))));
    }
    return {
      settings: {
        database: "embedded TimescaleDB",
        bytes:
          "table, index and TOAST of all chunks, before and after, as hypertable_columnstore_stats() counts them; the row store has the primary key's index",
        "synthetic factory": `${factory.machines} machines x ${factory.metrics} metrics every ${factory.intervalSeconds} s for ${factory.days} days, two decimals`,
        "real data":
          folder === undefined ? "none here (MS5_DATA_DIR): the synthetic factory alone" : "SKAB and NAB",
      },
      results,
    };
  });

function realSets(folder: string | undefined): DataSet[] {
  if (folder === undefined) return [];
  const [skab, nab] = [filesOf(folder, "skab"), filesOf(folder, "nab")];
  const set = (
    name: string,
    chunkInterval: string,
    goal: number | undefined,
    machines: string[][],
  ): DataSet[] =>
    machines.some((files) => files.length === 0)
      ? []
      : [
          {
            name: `${name}, ${chunkInterval.replace(/ (\w+?)s?$/, "-$1")} chunks`,
            chunkInterval,
            goal,
            fill: (client) => fillFrom(client, machines),
          },
        ];
  return [
    ...set("SKAB", "30 days", 0.08, [skab]),
    ...set("NAB", "30 days", undefined, [nab]),
    ...set("SKAB and NAB", "1 day", undefined, [skab, nab]),
  ];
}

async function fillFrom(client: Client, machines: readonly string[][]): Promise<void> {
  for (const [at, files] of machines.entries()) {
    const { times, values, metrics } = readSamples(files);
    // In steps: one statement of 80,000 rows is more than the embedded database's socket likes.
    const step = 10_000;
    for (let from = 0; from < times.length; from += step) {
      const slice = <T>(all: T[]) => all.slice(from, from + step);
      await client.query(
        `INSERT INTO ms5_bench.source
         SELECT t, v, $4::smallint, m FROM unnest($1::timestamptz[], $2::double precision[], $3::smallint[]) AS s (t, v, m)`,
        [slice(times), slice(values), slice(metrics), at + 1],
      );
    }
  }
}

async function measureSet(client: Client, set: DataSet): Promise<Measured[]> {
  await client.query("CREATE SCHEMA ms5_bench");
  try {
    await client.query(
      "CREATE TABLE ms5_bench.source (ts timestamptz, value double precision, machine_id smallint, metric_id smallint)",
    );
    await set.fill(client);
    const results: Measured[] = [];
    for (const variant of variants) results.push(await measureVariant(client, set, variant));
    return results;
  } finally {
    await client.query("DROP SCHEMA ms5_bench CASCADE");
  }
}

async function measureVariant(
  client: Client,
  set: DataSet,
  { type, segmentBy, orderBy }: Variant,
): Promise<Measured> {
  const table = "ms5_bench.samples";
  await client.query(
    `CREATE TABLE ${table} (ts timestamptz NOT NULL, value ${type} NOT NULL, machine_id smallint NOT NULL,
       metric_id smallint NOT NULL, PRIMARY KEY (machine_id, metric_id, ts))`,
  );
  await client.query(
    `SELECT create_hypertable('${table}', by_range('ts', interval '${set.chunkInterval}'), create_default_indexes => false)`,
  );
  await client.query(
    `ALTER TABLE ${table} SET (timescaledb.enable_columnstore, timescaledb.segmentby = '${segmentBy}', timescaledb.orderby = '${orderBy}')`,
  );
  await client.query(
    `INSERT INTO ${table} SELECT ts, value, machine_id, metric_id FROM ms5_bench.source ON CONFLICT DO NOTHING`,
  );
  await convertToColumnstore(client, table);
  const { rows } = await client.query<{ before: number; after: number }>(
    `SELECT before_compression_total_bytes::float8 AS before, after_compression_total_bytes::float8 AS after
       FROM hypertable_columnstore_stats('${table}')`,
  );
  await client.query(`DROP TABLE ${table}`);
  const { before, after } = rows[0] ?? { before: 0, after: 0 };
  const percent = (100 * after) / before;
  const isChosen = type === chosen.type && segmentBy === chosen.segmentBy && orderBy === chosen.orderBy;
  const bytes = (n: number) => `${(n / 2 ** 20).toFixed(1)} MB`;
  return {
    case: `${set.name}: ${type}, segments by ${segmentBy}, order ${orderBy}${isChosen ? " (chosen)" : ""}: ${bytes(before)} to ${bytes(after)}`,
    unit: "% of the row store",
    // Bytes don't vary from run to run.
    median: percent,
    min: percent,
    max: percent,
    runs: 1,
    ...(isChosen && set.goal !== undefined
      ? { goal: `<= ${set.goal * 100} %`, met: percent <= set.goal * 100 }
      : {}),
  };
}
