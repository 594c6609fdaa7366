import { aggregateNames, qualified, tableNames } from "../../infra/schema/catalogue";
import { engineVersion } from "../../infra/schema/handlers/handler";
import { hypertable } from "../../infra/schema/handlers/hypertable";
import { planSchema } from "../../infra/schema/plan";
import { type Client, withClient } from "../../infra/schema/postgres";
import { convertToColumnstore } from "./columnstore";
import { factoryEnd, factoryOf, fillFactory, machineCode, metricCode, refreshAggregates } from "./factory";
import { type Case, interleaved, milliseconds, type Summary } from "./measure";
import { bind, loadQueries, type NamedQuery } from "./queries";
import type { Result } from "./report";
import { deploySchema, withThrowaway } from "./throwaway";
import type { Bench } from "./types";

const days = 7;
const columnstoreSchema = "ms5_bench";
const fastMs = 100;
const timesFaster = 10;

/** The named queries: from rows, from columns, from aggregates. */
export const query: Bench = async ({ log, rows, runs, warmUps }) =>
  withThrowaway(log, async ({ target }) => {
    const config = await deploySchema(target);
    const factory = factoryOf(rows, days);
    log.info("filling the synthetic factory");
    const samples = await withClient(target, async (client) => {
      const filled = await fillFactory(client, factory);
      log.info(
        `${filled.toLocaleString("en-US")} samples; copying them to a columnstore and refreshing aggregates`,
      );
      for (const { hypertable: inputs } of planSchema(config).tables.values()) {
        const copy = inputs.table.replace(/^[^.]+/, columnstoreSchema);
        await client.query(`CREATE SCHEMA IF NOT EXISTS ${columnstoreSchema}`);
        await client.query(`CREATE TABLE ${copy} (LIKE ${inputs.table} INCLUDING ALL)`);
        await hypertable.apply({ client, config }, { ...inputs, table: copy, engineVersion });
        await client.query(`INSERT INTO ${copy} SELECT * FROM ${inputs.table}`);
        await convertToColumnstore(client, copy);
      }
      await refreshAggregates(client, aggregateNames.map(qualified), factoryEnd(factory));
      await client.query("ANALYZE");
      return filled;
    });
    log.info("measuring");
    const queries = loadQueries();
    const to = factoryEnd(factory);
    const measured = await withClient(target, (client) =>
      interleaved(
        queries.flatMap((one) => casesOf(client, one, parameters(one.name, to))),
        { runs, warmUps },
      ),
    );
    return {
      settings: {
        database: "embedded TimescaleDB",
        data: `${samples.toLocaleString("en-US")} samples of the synthetic factory: ${factory.machines} machines x ${factory.metrics} metrics every ${factory.intervalSeconds} s for ${days} days, chunks of ${config.tables.metric_hist.chunkInterval.text}`,
        aggregates: "refreshed to the end, real-time on",
      },
      results: queries.flatMap((one) => resultsOf(one, measured)),
    };
  });

/** The last day, or the week where the question is about one. */
function parameters(name: string, to: Date): Record<string, string> {
  const length = /^(7-days|downtime|energy|worst|oee-by-shift|gaps)/.test(name) ? days : 1;
  return {
    machine: machineCode(1),
    metric: metricCode(1),
    longer_than: "5 minutes",
    from: new Date(to.getTime() - length * 86_400_000).toISOString(),
    to: to.toISOString(),
  };
}

type Variant = "rows" | "columns" | "aggregate";

function casesOf(client: Client, one: NamedQuery, values: Record<string, string>): Case[] {
  const raw = bind(one.raw, values);
  const inColumns = { ...raw, text: raw.text.replace(hypertableNames, `${columnstoreSchema}.$1`) };
  const variants: [Variant, { text: string; values: string[] }][] = [
    ["rows", raw],
    ["columns", inColumns],
  ];
  if (one.aggregate !== undefined) variants.push(["aggregate", bind(one.aggregate, values)]);
  return variants.map(([variant, bound]) => ({
    name: `${one.name} ${variant}`,
    measure: () => milliseconds(() => client.query(bound)),
  }));
}

const hypertableNames = new RegExp(`\\bfactory_telemetry\\.(${tableNames.join("|")})\\b`, "g");

function resultsOf(one: NamedQuery, measured: ReadonlyMap<string, Summary>): Result[] {
  const of = (variant: Variant) => measured.get(`${one.name} ${variant}`);
  const [rows, columns, aggregate] = [of("rows"), of("columns"), of("aggregate")];
  if (rows === undefined || columns === undefined) throw new Error(`${one.name} was not measured`);
  const faster = (summary: Summary) => ({ value: rows.median / summary.median, of: "faster than row store" });
  return [
    {
      case: `${one.name}, row store`,
      unit: "ms",
      ...rows,
      // Where there is no aggregate, this is what a dashboard gets.
      ...(aggregate === undefined ? { goal: `< ${fastMs} ms`, met: rows.median < fastMs } : {}),
    },
    { case: `${one.name}, columnstore`, unit: "ms", ...columns, ratio: faster(columns) },
    ...(aggregate === undefined
      ? []
      : [
          {
            case: `${one.name}, aggregate`,
            unit: "ms",
            ...aggregate,
            ratio: faster(aggregate),
            goal: `< ${fastMs} ms, >= ${timesFaster}x`,
            met: aggregate.median < fastMs && rows.median / aggregate.median >= timesFaster,
          },
        ]),
  ];
}
