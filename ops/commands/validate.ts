import type { Command } from "commander";
import { createLog } from "../log";
import { defaultStack } from "../stackConfig";
import { stackTarget } from "../stackTarget";
import { validate } from "../validate";
import { findingLine, validationExitCode } from "../validate/check";

/** `validate [--stack S] [--json]`: exit code 0 nothing failed, 1 an ERROR, 2 a CRITICAL. */
export function register(program: Command): void {
  program
    .command("validate")
    .description("compare a stack's database with its config, and its aggregates with its telemetry")
    .option("--stack <name>", "the stack", defaultStack)
    .option("--json", "print one JSON object on stdout", false)
    .action(async (options: { stack: string; json: boolean }) => {
      const log = createLog({ quiet: options.json });
      const { target, config, close } = await stackTarget(options.stack, log);
      try {
        const report = await validate(target, config);
        process.stdout.write(
          options.json
            ? `${JSON.stringify(report)}\n`
            : `${report.findings.map(findingLine).join("\n")}\n${report.checks} checks, ${report.failed} failed\n`,
        );
        process.exitCode = validationExitCode(report);
      } finally {
        await close();
      }
    });
}
