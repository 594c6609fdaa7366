// The status page of `npm start`: the service of the cluster in local mode, in this process.
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pageFiles } from "../../infra/monitoring/bundle";
import type { ConnectionTarget } from "../../infra/schema/postgres";
import type { Log } from "../log";
import { startService } from "../monitoring/service/server";
import { type DatabaseSettings, defaultLimits, serviceVersion } from "../monitoring/service/settings";
import { projectRoot } from "../paths";

export interface StatusPage {
  /** http://127.0.0.1:PORT/ */
  readonly url: string;
  /** Lets requests under way finish, for up to five seconds. */
  close(): Promise<void>;
}

/**
 * Serves the page and its API on loopback, at the port after the database's.
 *
 * @param folder for the page's files; what is in it goes
 * @returns undefined when that port cannot be had; the log says what to do
 */
export async function startPage(
  target: ConnectionTarget,
  folder: string,
  log: Log,
): Promise<StatusPage | undefined> {
  const port = target.port + 1;
  const database: DatabaseSettings = {
    host: target.host,
    port: target.port,
    database: target.database,
    user: target.user,
    passwordFile: undefined,
    tls: "disable",
    caFile: undefined,
    singleSession: target.singleSession,
  };
  await copyPage(folder);
  try {
    const { close } = await startService(
      {
        listen: { host: "127.0.0.1", port },
        local: true,
        tls: undefined,
        monitor: database,
        telemetry: database,
        tokens: undefined,
        pageFolder: folder,
        volumeBytes: undefined,
        limits: defaultLimits,
        version: serviceVersion,
      },
      { log: { write: (line) => tellErrors(line, log) } },
    );
    return { url: `http://127.0.0.1:${port}/`, close };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = portProblems[code ?? ""];
    if (why === undefined) throw error;
    log.warn(
      `there is no status page: port ${port} on 127.0.0.1 ${why}. Stop what listens there, or take another port for the database (MS5_DATABASE_PORT): the page has the next one`,
    );
    return undefined;
  }
}

const portProblems: Readonly<Record<string, string>> = {
  EADDRINUSE: "is taken",
  EACCES: "is not for this user",
  ERR_SOCKET_BAD_PORT: "does not exist",
};

/** The page as it is in this checkout, and nothing else. */
async function copyPage(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  for (const [name, file] of Object.entries(pageFiles()))
    await cp(join(projectRoot, file), join(folder, name));
}

/** pino's number for errors. Below it are requests that had to wait for the one session there is. */
const errorLevel = 50;

function tellErrors(line: string, log: Log): void {
  const { level, msg, err } = JSON.parse(line) as { level: number; msg?: string; err?: { message?: string } };
  if (level >= errorLevel) log.warn(`status page: ${err?.message ?? msg ?? line}`);
}
