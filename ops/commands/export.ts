import { type Command, Option } from "commander";
import type { StackConfig } from "../../infra/config";
import { UserError } from "../../infra/errors";
import { type ConnectionTarget, describeTarget } from "../../infra/schema/postgres";
import { bytes } from "../advise/chunkInterval";
import { type ExportResult, exportDatabase } from "../export/export";
import { type ImportResult, importDatabase } from "../export/import";
import { type ExportKind, exportKinds } from "../export/manifest";
import { createLog, type Log } from "../log";
import { stackTarget } from "../stackTarget";

interface ExportArguments {
  readonly out: string;
  readonly kind: ExportKind;
  readonly table?: string;
  readonly from?: string;
  readonly to?: string;
  readonly json: boolean;
}

/** `export STACK --out DIR` and `import STACK DIR --yes`: a database's schema and rows as files, and back. */
export function register(program: Command): void {
  program
    .command("export <stack>")
    .description("write a stack's schema and rows, as they are at one moment, to compressed files")
    .requiredOption("--out <folder>", "a new or empty folder")
    .addOption(
      new Option("--kind <kind>", "what to export; full is schema and data")
        .choices(exportKinds)
        .default("full"),
    )
    .option("--table <name>", "kind hypertable: which, e.g. factory_telemetry.metric_hist")
    .option("--from <time>", "kind hypertable: rows from this time on, e.g. 2026-03-01T00:00:00Z")
    .option("--to <time>", "kind hypertable: rows before this time")
    .option("--json", "print one JSON object on stdout instead of a report", false)
    .action(async (stack: string, { out, json, ...what }: ExportArguments) => {
      const result = await inStack(stack, json, (target, common) =>
        exportDatabase(target, { stack, folder: out, ...what, ...common }),
      );
      process.stdout.write(`${json ? JSON.stringify(result) : exported(result)}\n`);
    });

  program
    .command("import <stack> <folder>")
    .description("restore an export into a stack's empty database, all of it or nothing")
    .option("--yes", "do it", false)
    .option("--json", "print one JSON object on stdout instead of a report", false)
    .action(async (stack: string, folder: string, { yes, json }: { yes: boolean; json: boolean }) => {
      const result = await inStack(stack, json, (target, common) => {
        if (!yes)
          throw new UserError(`this would write the export in ${folder} into ${describeTarget(target)}`, {
            fix: `add --yes: npm run ops -- import ${stack} ${folder} --yes`,
          });
        return importDatabase(target, { folder, ...common });
      });
      process.stdout.write(`${json ? JSON.stringify(result) : imported(result, stack)}\n`);
    });
}

async function inStack<T>(
  stack: string,
  json: boolean,
  work: (target: ConnectionTarget, common: { lockTimeoutMs: number; log: Log }) => Promise<T>,
): Promise<T> {
  const log = createLog({ quiet: json });
  const { target, config, close } = await stackTarget(stack, log);
  try {
    return await work(target, { lockTimeoutMs: lockTimeoutMs(config), log });
  } finally {
    await close();
  }
}

function lockTimeoutMs({ migrations }: StackConfig): number {
  return migrations.lockTimeout.seconds * 1_000;
}

function exported(result: ExportResult): string {
  return `${result.folder}: ${content(result)}, ${bytes(result.bytes)}, as of ${result.snapshot.at}`;
}

function imported(result: ImportResult, stack: string): string {
  const next =
    result.schema === "made"
      ? `\nnext: npm run up -- ${stack} makes login roles, grants, policies and continuous aggregates`
      : "";
  return `${content(result)} imported; the schema ${result.schema === "made" ? "was made" : "was there"}${next}`;
}

function content({ tables, rows, seconds }: Pick<ExportResult, "tables" | "rows" | "seconds">): string {
  return `${tables} tables, ${rows.toLocaleString("en-US")} rows in ${seconds.toFixed(1)} s`;
}
