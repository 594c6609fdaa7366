import { totalmem } from "node:os";
import { type Command, InvalidArgumentError } from "commander";
import { UserError } from "../../infra/errors";
import { type TableName, tableNames } from "../../infra/schema/catalogue";
import { withClient } from "../../infra/schema/postgres";
import { type Advice, adviseChunkInterval, bytes } from "../advise/chunkInterval";
import { type MeasuredRate, measureRate } from "../advise/measureRate";
import { createLog } from "../log";
import { defaultStack } from "../stackConfig";
import { stackTarget } from "../stackTarget";

interface Options {
  readonly stack: string;
  readonly memoryGb?: number;
  readonly json: boolean;
}

interface TableAdvice extends MeasuredRate {
  readonly table: TableName;
  readonly current: string;
  /** undefined when too little was measured. */
  readonly advice: Advice | undefined;
}

/** `advise chunk-interval [--stack S] [--memory-gb N] [--json]` */
export function register(program: Command): void {
  program
    .command("advise")
    .description("work out settings from what a database really takes in")
    .command("chunk-interval")
    .description("the chunk interval of each hypertable, from its rate and the server's memory")
    .option("--stack <name>", "the stack", defaultStack)
    .option(
      "--memory-gb <n>",
      "memory of the database server (default: this machine's, for a database on it)",
      positive,
    )
    .option("--json", "print one JSON object on stdout", false)
    .action(chunkInterval);
}

async function chunkInterval({ stack, memoryGb, json }: Options): Promise<void> {
  const { target, config, close } = await stackTarget(stack, createLog({ quiet: json }));
  try {
    const memoryBytes = memoryGb === undefined ? memoryOf(stack, config.database.kind) : memoryGb * 2 ** 30;
    const tables = await withClient(target, async (client) => {
      const all: TableAdvice[] = [];
      for (const table of tableNames) {
        const { segmentBy, chunkInterval: current, retention } = config.tables[table];
        const measured = await measureRate(client, table, segmentBy);
        const advice = measured.rate && adviseChunkInterval(measured.rate, { memoryBytes, retention });
        all.push({ table, current: current.text, ...measured, advice });
      }
      return all;
    });
    process.stdout.write(json ? `${JSON.stringify({ stack, memoryBytes, tables })}\n` : text(tables, stack));
  } finally {
    await close();
  }
}

/** A server somewhere else doesn't tell its memory over SQL. */
function memoryOf(stack: string, kind: "embedded" | "server"): number {
  if (kind === "embedded") return totalmem();
  throw new UserError(`how much memory the database server of stack "${stack}" has is not known here`, {
    fix: `say it: npm run ops -- advise chunk-interval --stack ${stack} --memory-gb 16`,
  });
}

function text(tables: readonly TableAdvice[], stack: string): string {
  return tables.map((table) => `${paragraph(table, stack)}\n`).join("\n");
}

function paragraph({ table, current, rows, days, rate, advice }: TableAdvice, stack: string): string {
  if (rate === undefined || advice === undefined) {
    return `${table}: ${current}. ${count(rows)} rows in the newest chunks are too few to advise from`;
  }
  const key = `ms5-timescale:timescaledb.tables.${table}.chunkInterval`;
  const { interval, why } = advice;
  return [
    `${table}: ${interval.text === current ? `keep ${current}` : `${current} -> ${interval.text}`}`,
    `  measured ${count(rate.rowsPerDay)} rows a day of ${bytes(rate.bytesPerRow)} in ${count(rate.series)} series, over ${days.toFixed(1)} days`,
    ...why.map((reason) => `  ${reason}`),
    ...(interval.text === current
      ? []
      : [`  pulumi config set --stack ${stack} --path '${key}' '${interval.text}'`]),
  ].join("\n");
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function positive(argument: string): number {
  const value = Number(argument);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("a number above 0");
}
