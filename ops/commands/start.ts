import type { Command } from "commander";
import { start } from "../start";

/** `start [--once] [--json] [--telemetry FILE…]`: the main job. */
export function register(program: Command): void {
  program
    .command("start")
    .description(
      "start an embedded TimescaleDB, deploy stack local to it, load telemetry, validate, report and stay up",
    )
    .option("--once", "exit after the report", false)
    .option("--json", "print one JSON object on stdout instead of the report", false)
    .option("--telemetry <files...>", "CSV files to ingest instead of the generated packaging line", [])
    .action(async (options: { once: boolean; json: boolean; telemetry: string[] }) => {
      process.exitCode = await start(options);
    });
}
