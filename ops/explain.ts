import { CommanderError } from "commander";
import { ExitCode, UserError } from "../infra/errors";

/** Tells a person on stderr what happened; the exit code tells the shell. */
export function explain(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.refused;
  if (error instanceof UserError) {
    process.stderr.write(`error: ${error.message}\n  fix: ${error.fix}\n`);
    return error.exitCode;
  }
  process.stderr.write(`unexpected error: ${error instanceof Error ? error.stack : error}\n`);
  return ExitCode.failed;
}
