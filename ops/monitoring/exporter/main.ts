import { ExitCode, UserError } from "../../../infra/errors";
import { type EventLog, reasonOf } from "./log";
import { startExporter } from "./server";
import { exporterSettings } from "./settings";

/** One JSON object a line, as the cluster's log collection wants it. */
const log: EventLog = (event) => {
  process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`);
};

/**
 * The exporter as a program: settings from the environment, until SIGTERM or SIGINT. What keeps it from starting is logged, and
 * the process's exit code says that it is so.
 */
export async function runExporter(): Promise<void> {
  try {
    const exporter = await startExporter(exporterSettings(process.env), log);
    log({ level: "info", message: "started", url: exporter.url });
    const signal = await endSignal();
    log({ level: "info", message: "ending", signal });
    await exporter.close();
  } catch (error) {
    const fix = error instanceof UserError ? { fix: error.fix } : {};
    log({ level: "error", message: reasonOf(error), ...fix });
    process.exitCode = error instanceof UserError ? error.exitCode : ExitCode.environment;
  }
}

function endSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once("SIGTERM", resolve).once("SIGINT", resolve);
  });
}
