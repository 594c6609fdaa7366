import type { Command } from "commander";
import { ExitCode, UserError } from "../../infra/errors";
import { migrationsFolder } from "../../infra/schema/handlers/migrations";
import { currentActor } from "../../infra/schema/migrations/actor";
import type { FinishedFile } from "../../infra/schema/migrations/fileRun";
import { readMigrations } from "../../infra/schema/migrations/files";
import type { MigrationPlan } from "../../infra/schema/migrations/plan";
import { planAsJson, renderPlan, renderStatus } from "../../infra/schema/migrations/report";
import {
  type FileProgress,
  plan,
  resolve,
  type UndoOptions,
  undo,
  verify,
} from "../../infra/schema/migrations/runner";
import type { Client } from "../../infra/schema/postgres";
import { asOwner } from "../asOwner";
import { createLog, type Log } from "../log";
import { defaultStack } from "../stackConfig";
import { stackTarget } from "../stackTarget";

interface Options {
  readonly stack: string;
  readonly json: boolean;
}

/** `migrate status|plan|verify|undo|resolve`; what is pending is applied by `up`. */
export function register(program: Command): void {
  const migrate = program
    .command("migrate")
    .description("look at a stack's schema migrations and take them back");
  const command = (nameAndArguments: string, description: string): Command =>
    migrate
      .command(nameAndArguments)
      .description(description)
      .option("--stack <stack>", "whose database", defaultStack)
      .option("--json", "print one JSON object on stdout instead of a report", false);

  command("status", "what is applied, when and by whom, and what is pending").action(
    async (options: Options) => {
      show(await look(plan, options), options, renderStatus);
    },
  );

  command("plan", "what the next `up` would run; exit code 1 when it would be refused").action(
    async (options: Options) => {
      const found = await look(plan, options);
      show(found, options, renderPlan);
      if (found.problems.length > 0) process.exitCode = ExitCode.failed;
    },
  );

  command("verify", "prove that files, ledger and audit log agree; exit code 1 when they do not").action(
    async (options: Options) => {
      const found = await look(verify, options);
      show(found, options, renderStatus);
      if (found.problems.length > 0) process.exitCode = ExitCode.failed;
    },
  );

  command("undo <count>", "take back the newest COUNT migrations, or `all`; refused where rows would be lost")
    .option("--drop-data", "let tables that hold rows be dropped", false)
    .action(async (count: string, options: Options & { dropData: boolean }) => {
      const log = createLog({ quiet: options.json });
      const undone = await undoMigrations(options.stack, parseCount(count), {
        dropData: options.dropData,
        log,
      });
      if (undone.length > 0) await tellEngine(options.stack, log);
      if (options.json) printJson({ undone });
      else
        process.stdout.write(
          `undone: ${undone.length}; \`npm run up -- ${options.stack}\` applies them again\n`,
        );
    });

  command(
    "resolve <number> <outcome>",
    "say whether a migration that was cut off outside a transaction is `applied` or `not-applied`",
  ).action(async (number: string, outcome: string, options: Options) => {
    if (outcome !== "applied" && outcome !== "not-applied")
      throw new UserError(`the outcome of a migration is applied or not-applied, not "${outcome}"`, {
        fix: `npm run ops -- migrate resolve ${number} applied`,
      });
    const parsed = parseNumber(number, "the migration");
    await inStack(options.stack, createLog({ quiet: options.json }), (client, options) =>
      resolve(client, parsed, outcome, options),
    );
    if (options.json) printJson({ resolved: parsed, outcome });
    else process.stdout.write(`recorded: ${parsed} is ${outcome}\n`);
  });
}

/**
 * Undoes the newest migrations of a stack's database; the engine's state does not know of it afterwards.
 *
 * @throws UserError as `undo` of the runner and `stackTarget` do.
 */
export async function undoMigrations(
  stack: string,
  count: number | "all",
  options: { dropData: boolean; log: Log },
): Promise<FinishedFile[]> {
  const migrations = await readMigrations(migrationsFolder);
  return inStack(stack, options.log, (client, run) =>
    undo(client, migrations, count, { ...run, dropData: options.dropData }),
  );
}

/** What was made on top of the undone files is gone; without a refresh the next `up` would think it is there. */
async function tellEngine(stack: string, log: Log): Promise<void> {
  const { runWatched } = await import("../engine/deploy");
  const { catchInterrupts } = await import("../engine/signals");
  const interrupts = catchInterrupts(log);
  const { close } = await stackTarget(stack, log);
  try {
    log.info("Telling the engine what is gone");
    const { result } = await runWatched("refresh", stack, { json: true, interrupts });
    if (result.result !== "succeeded") {
      throw new UserError(`the migrations are undone, but the engine could not be told`, {
        fix: `npm run refresh -- ${stack}`,
        exitCode: ExitCode.failed,
      });
    }
  } finally {
    await close();
    interrupts.release();
  }
}

async function look(question: typeof plan | typeof verify, { stack, json }: Options): Promise<MigrationPlan> {
  const migrations = await readMigrations(migrationsFolder);
  return inStack(stack, createLog({ quiet: json }), (client) => question(client, migrations));
}

/** Runs `work` on the stack's database as the owner of its schema, with the stack's timeouts. */
async function inStack<T>(
  stack: string,
  log: Log,
  work: (client: Client, options: Omit<UndoOptions, "dropData">) => Promise<T>,
): Promise<T> {
  const { target, config, close } = await stackTarget(stack, log);
  try {
    return await asOwner(
      target,
      (client) =>
        work(client, {
          actor: currentActor(),
          lockTimeoutMs: config.migrations.lockTimeout.seconds * 1_000,
          statementTimeoutMs: config.migrations.statementTimeout.seconds * 1_000,
          onFile: (progress) => log.info(describeProgress(progress)),
        }),
      "ms5 migrate",
    );
  } finally {
    await close();
  }
}

function describeProgress(progress: FileProgress): string {
  return progress.event === "started"
    ? `${progress.file} …`
    : `${progress.file} done in ${progress.durationMs} ms`;
}

function parseCount(text: string): number | "all" {
  return text === "all" ? "all" : parseNumber(text, "how many to undo");
}

function parseNumber(text: string, what: string): number {
  const number = Number(text);
  if (/^\d{1,4}$/.test(text) && number > 0) return number;
  throw new UserError(`${what} is a whole number from 1, not "${text}"`, {
    fix: "see the numbers with npm run ops -- migrate status",
  });
}

function show(found: MigrationPlan, { json }: Options, render: (plan: MigrationPlan) => string): void {
  if (json) printJson(planAsJson(found));
  else process.stdout.write(`${render(found)}\n`);
}

function printJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
