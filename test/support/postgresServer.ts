/**
 * A plain PostgreSQL server of the machine's own packages, for what one embedded session cannot show: a second
 * runner, a killed session, a replica. Where there is no such package, tests that need one are skipped.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import type { ConnectionTarget } from "../../infra/schema/postgres";
import { freePort } from "./freePort";

export interface PostgresServer {
  readonly target: ConnectionTarget;
  /** A streaming replica of it, read-only. */
  startReplica(): Promise<PostgresServer>;
  stop(): Promise<void>;
}

const packages = "/usr/lib/postgresql";

/** Folder with initdb, postgres and pg_basebackup of the newest installed version. */
export const postgresBinaries: string | undefined = (existsSync(packages) ? readdirSync(packages) : [])
  .sort((a, b) => Number(b) - Number(a))
  .map((version) => join(packages, version, "bin"))
  .find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "pg_basebackup")));

/** PostgreSQL refuses to run as root; anyone else who has a name will do. */
const asWhom = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** Starts a fresh server on loopback. */
export async function startPostgres(): Promise<PostgresServer> {
  const folder = await dataFolder();
  run("initdb", ["-D", join(folder, "data"), "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8"]);
  return serve(folder);
}

async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ms5-postgres-"));
  if (asWhom.uid !== undefined) chownSync(folder, asWhom.uid, asWhom.gid);
  return folder;
}

async function serve(folder: string): Promise<PostgresServer> {
  const port = await freePort();
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    fsync: "off",
    shared_buffers: "16MB",
  };
  const server = spawn(
    binary("postgres"),
    [
      "-D",
      join(folder, "data"),
      "-p",
      `${port}`,
      ...Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
    ],
    { ...asWhom, stdio: "ignore" },
  );
  const target: ConnectionTarget = {
    host: "127.0.0.1",
    port,
    database: "postgres",
    user: "postgres",
    tls: "disable",
    singleSession: false,
  };
  await untilAnswering(target, server);
  return {
    target,
    async startReplica() {
      const replica = await dataFolder();
      run("pg_basebackup", [
        "-D",
        join(replica, "data"),
        "-h",
        "127.0.0.1",
        "-p",
        `${port}`,
        "-U",
        "postgres",
        "-R",
        "-c",
        "fast",
        "--no-sync",
      ]);
      return serve(replica);
    },
    async stop() {
      if (server.exitCode === null) {
        const exited = new Promise((resolve) => server.once("exit", resolve));
        // Immediate shutdown: there is nothing to keep.
        server.kill("SIGQUIT");
        await exited;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilAnswering(target: ConnectionTarget, server: ChildProcess): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const client = new Client({
      host: target.host,
      port: target.port,
      database: target.database,
      user: target.user,
    });
    try {
      await client.connect();
      return;
    } catch (error) {
      if (server.exitCode !== null || Date.now() > deadline) throw error;
      await sleep(50);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

function run(name: string, args: string[]): void {
  execFileSync(binary(name), args, { ...asWhom, cwd: tmpdir(), stdio: "pipe" });
}

function binary(name: string): string {
  if (postgresBinaries === undefined) throw new Error("no PostgreSQL server is installed");
  return join(postgresBinaries, name);
}
