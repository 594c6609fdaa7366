import { join } from "node:path";
import type { StackConfig } from "../infra/config";
import { openWay, requireTarget } from "../infra/databaseTarget";
import type { ConnectionTarget } from "../infra/schema/postgres";
import { isAnswering, startEmbedded } from "./embedded";
import type { Log } from "./log";
import { localFolder } from "./paths";
import { stackConfig } from "./stackConfig";

/** A stack's database, for as long as a program works with it. */
export interface StackTarget {
  readonly target: ConnectionTarget;
  readonly config: StackConfig;
  /** Stops what was started to reach it. */
  close(): Promise<void>;
}

/** Where the embedded database of this checkout keeps its data. */
export const embeddedDataDir = join(localFolder, "database");

/**
 * The database of a stack, by its config. The embedded one is started when `npm start` is not running it.
 *
 * @throws UserError when the config is refused or names no database, or the embedded database cannot start
 */
export async function stackTarget(stack: string, log: Log): Promise<StackTarget> {
  const config = await stackConfig(stack, log);
  const target = requireTarget(config);
  return { target, config, close: await ensureDatabase(config, log) };
}

/**
 * Starts the embedded database of a stack that uses it, unless it answers already; returns what stops it again.
 *
 * @throws UserError when the config names no database, or the embedded one cannot start
 */
export async function ensureDatabase(config: StackConfig, log: Log): Promise<() => Promise<void>> {
  const target = requireTarget(config);
  if (target.pod !== undefined) return openWay(target);
  if (config.database.kind !== "embedded" || (await isAnswering(target.port))) return async () => {};
  log.info("starting the embedded TimescaleDB (npm start keeps it running)");
  const database = await startEmbedded({ dataDir: embeddedDataDir, port: target.port, log });
  return () => database.stop();
}
