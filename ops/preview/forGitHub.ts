// `preview STACK --markdown` and `refresh STACK --markdown`: run it, and print what goes to GitHub, whatever comes of it.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../infra/errors";
import { migrationsFolder } from "../../infra/schema/handlers/migrations";
import { runWatched } from "../engine/deploy";
import type { RunModel } from "../engine/events";
import { catchInterrupts } from "../engine/signals";
import type { StackResult } from "../engine/stack";
import { createLog } from "../log";
import { renderComment, renderRefusal } from "./comment";
import { pendingMigrations } from "./commentDetails";
import { renderDrift } from "./driftIssue";

/**
 * Prints the comment on a preview on stdout; progress goes to stderr.
 *
 * @throws whatever kept it from beginning, after a comment that says so
 */
export async function previewComment(stack: string): Promise<StackResult> {
  try {
    const { result, model } = await watched("preview", stack);
    process.stdout.write(renderComment({ result, model, sql: pendingSql(model) }));
    return result;
  } catch (error) {
    const { message } = error as Error;
    const fix = error instanceof UserError ? error.fix : "see the log of the job that made this comment";
    process.stdout.write(renderRefusal(stack, { message, fix }));
    throw error;
  }
}

/**
 * Prints on stdout what was changed by hand, if anything was, and leaves the state as it is: recorded once, a drift would
 * not be seen the next time.
 *
 * @throws UserError when nothing was begun
 */
export async function driftIssue(stack: string): Promise<StackResult> {
  const { result, model } = await watched("refresh", stack);
  process.stdout.write(renderDrift(result, model));
  return result;
}

async function watched(operation: "preview" | "refresh", stack: string) {
  const interrupts = catchInterrupts(createLog({ quiet: false }));
  try {
    const previewOnly = operation === "refresh";
    return await runWatched(operation, stack, { json: false, previewOnly, interrupts });
  } finally {
    interrupts.release();
  }
}

function pendingSql(model: RunModel): Record<string, string> {
  const files = pendingMigrations(model).map((file) => [file, join(migrationsFolder, file)] as const);
  return Object.fromEntries(
    files.filter(([, path]) => existsSync(path)).map(([file, path]) => [file, readFileSync(path, "utf8")]),
  );
}
