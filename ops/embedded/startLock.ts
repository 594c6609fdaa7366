import { join } from "node:path";
import { ExitCode, UserError } from "../../infra/errors";
import type { Log } from "../log";
import { acquireLock, type Lock, LockHeldError } from "./lock";

/**
 * Makes this process the only `npm start` of a folder; tell others how to connect with `describe`.
 * @param folder the checkout's `.local/`.
 * @throws UserError (exit code `environment`) when another one runs, with its pid and what it told.
 */
export function lockStart(folder: string, log: Log): Lock {
  try {
    const lock = acquireLock(join(folder, "start.lock"), "starting");
    if (lock.takenOverFrom !== undefined) {
      const { pid, since } = lock.takenOverFrom;
      log.info(`the \`npm start\` of ${since} (process ${pid}) did not end properly; carrying on from there`);
    }
    return lock;
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error;
    const { pid, since, note } = error.holder;
    throw new UserError(
      `\`npm start\` is already running for ${folder}: process ${pid} since ${since} (${note})`,
      {
        fix: `use that one, or stop it with Ctrl-C in its terminal (or \`kill ${pid}\`)`,
        exitCode: ExitCode.environment,
      },
    );
  }
}
