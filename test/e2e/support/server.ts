// Real TimescaleDB servers for the e2e tests: on loopback, with TLS and SCRAM, as an operator of managed servers
// hands them out: no superuser for us, and the extension installed already.
//
// PostgreSQL runs by chroot in the folder of rootfs.ts, its data is a temp folder in there: nothing is mounted.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { appendFile, chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ConnectionTarget,
  escapeIdentifier,
  escapeLiteral,
  withClient,
} from "../../../infra/schema/postgres";
import { isAlive } from "../../../ops/engine/processes";
import { toolPath } from "../../support/debian";
import { freePort } from "../../support/freePort";
import { rootFolder, serverUser } from "./rootfs";

const database = "ms5";
const startTimeoutMs = 30_000;
const stopTimeoutMs = 10_000;

export interface TestServer {
  /** A role that may create roles, owns database `ms5` and is no superuser: what a stack is given. */
  readonly admin: ConnectionTarget;
  /** For what a test itself has to look at or to break; takes any certificate. */
  readonly superuser: ConnectionTarget;
  readonly pid: number;
  /** Everything the server has logged: every statement is. */
  log(): string;
  /** A hot standby that streams from this server. It must be stopped first. */
  standby(): Promise<TestServer>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** What the server's certificate is good for. @default "localhost" */
  readonly certificateFor?: string;
}

/** A fresh primary with database `ms5`; about three seconds. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const place = await newPlace(options.certificateFor ?? "localhost");
  const passwords = { admin: newPassword(), superuser: newPassword() };
  try {
    await writeSecret(place, "password", passwords.superuser);
    await run(place, "initdb", [
      ...["-D", place.inside("data"), "-U", "postgres", `--pwfile=${place.inside("password")}`],
      ...["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
    ]);
    await configure(place);
    const server = await serve(place, passwords);
    await prepareDatabase(server, passwords.admin).catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
    return server;
  } catch (error) {
    await rm(place.folder, { recursive: true, force: true });
    throw error;
  }
}

/** Removes what servers of killed test runs have left; they themselves ended with the process that started them. */
export function sweepLeftovers(): void {
  const temp = join(rootFolder(), "tmp");
  for (const entry of readdirSync(temp)) {
    const owner = /^ms5-(\d+)-/.exec(entry)?.[1];
    if (owner !== undefined && !isAlive(Number(owner)))
      rmSync(join(temp, entry), { recursive: true, force: true });
  }
}

interface Passwords {
  readonly admin: string;
  readonly superuser: string;
}

/** A server's folder, as we and as the server see it. */
interface Place {
  readonly folder: string;
  readonly port: number;
  inside(name: string): string;
}

async function newPlace(certificateFor: string): Promise<Place> {
  const folder = await mkdtemp(join(rootFolder(), "tmp", `ms5-${process.pid}-`));
  const place: Place = {
    folder,
    port: await freePort(),
    inside: (name) => `/tmp/${basename(folder)}/${name}`,
  };
  await chmod(folder, 0o700);
  await chown(folder, serverUser.id, serverUser.id);
  await makeCertificate(place, certificateFor);
  return place;
}

/** A private CA, and a certificate from it that is good for one name only. */
async function makeCertificate(place: Place, name: string): Promise<void> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-x509", "-days", "1"];
  const file = (option: string, file: string) => [option, place.inside(file)];
  await run(place, "openssl", [
    ...["req", ...key, "-subj", "/CN=ms5 e2e CA"],
    ...[...file("-keyout", "ca.key"), ...file("-out", "ca.pem")],
  ]);
  await run(place, "openssl", [
    ...["req", ...key, ...file("-CA", "ca.pem"), ...file("-CAkey", "ca.key"), "-subj", `/CN=${name}`],
    ...[
      "-addext",
      `subjectAltName=${isIP(name) === 0 ? "DNS" : "IP"}:${name}`,
      "-addext",
      "basicConstraints=CA:FALSE",
    ],
    ...[...file("-keyout", "server.key"), ...file("-out", "server.pem")],
  ]);
}

/** A file that the server's programs read, and nobody else. */
async function writeSecret(place: Place, name: string, text: string): Promise<void> {
  const file = join(place.folder, name);
  await writeFile(file, text, { mode: 0o600 });
  await chown(file, serverUser.id, serverUser.id);
}

async function configure(place: Place): Promise<void> {
  await appendFile(
    join(place.folder, "data/postgresql.conf"),
    [
      "",
      "shared_preload_libraries = 'timescaledb'",
      "timescaledb.telemetry_level = 'off'",
      "listen_addresses = '127.0.0.1'",
      "unix_socket_directories = ''",
      "ssl = on",
      `ssl_cert_file = '${place.inside("server.pem")}'`,
      `ssl_key_file = '${place.inside("server.key")}'`,
      // So that a password which reaches the server as text is found in its log.
      "log_statement = 'all'",
      // There is no /dev/shm.
      "dynamic_shared_memory_type = 'mmap'",
      "max_worker_processes = 24",
      "max_wal_size = '2GB'",
      // The data is thrown away with the test.
      "fsync = off",
      "full_page_writes = off",
      "",
    ].join("\n"),
  );
  await writeFile(
    join(place.folder, "data/pg_hba.conf"),
    "hostssl all,replication all 127.0.0.1/32 scram-sha-256\n",
  );
}

async function serve(place: Place, passwords: Passwords): Promise<TestServer> {
  const logFile = join(place.folder, "log");
  const output = openSync(logFile, "a");
  const child = spawnInside("postgres", ["-D", place.inside("data"), "-p", String(place.port)], output);
  closeSync(output);
  const base = {
    host: "localhost",
    port: place.port,
    tls: "verify-full",
    caFile: join(place.folder, "ca.pem"),
  } as const;
  const server: TestServer = {
    admin: { ...base, database, user: "ms5_admin", password: passwords.admin, singleSession: false },
    superuser: {
      ...base,
      database,
      user: "postgres",
      tls: "require",
      password: passwords.superuser,
      singleSession: false,
    },
    pid: child.pid ?? -1,
    log: () => readFileSync(logFile, "utf8"),
    standby: () => startStandby(server, passwords),
    async stop() {
      await end(child);
      await rm(place.folder, { recursive: true, force: true });
    },
  };
  try {
    await untilReady(child, server);
  } catch (error) {
    await end(child);
    throw error;
  }
  return server;
}

async function startStandby(primary: TestServer, passwords: Passwords): Promise<TestServer> {
  const place = await newPlace("localhost");
  try {
    const { host, port, user, password } = primary.superuser;
    await writeSecret(place, "passfile", `*:*:*:${user}:${password}\n`);
    await writeSecret(place, "primary-ca.pem", readFileSync(primary.admin.caFile ?? "", "utf8"));
    const connection = [
      `host=${host} port=${port} user=${user} sslmode=verify-full`,
      `sslrootcert=${place.inside("primary-ca.pem")} passfile=${place.inside("passfile")}`,
    ].join(" ");
    await run(place, "pg_basebackup", [
      ...[
        "-D",
        place.inside("data"),
        "-d",
        connection,
        "--write-recovery-conf",
        "--checkpoint=fast",
        "--no-sync",
      ],
    ]);
    await appendFile(
      join(place.folder, "data/postgresql.conf"),
      `ssl_cert_file = '${place.inside("server.pem")}'\nssl_key_file = '${place.inside("server.key")}'\n`,
    );
    return await serve(place, passwords);
  } catch (error) {
    await rm(place.folder, { recursive: true, force: true });
    throw error;
  }
}

async function prepareDatabase(server: TestServer, password: string): Promise<void> {
  const { user } = server.admin;
  await withClient({ ...server.superuser, database: "postgres" }, async (client) => {
    // What is looked for in the log are the stack's passwords, not this one of ours.
    await client.query("SET log_statement = 'none'");
    await client.query(
      `CREATE ROLE ${escapeIdentifier(user)} LOGIN CREATEROLE CREATEDB PASSWORD ${escapeLiteral(password)}`,
    );
    // Managed servers' administrators hold it like this: they can give it on.
    await client.query(`GRANT pg_monitor TO ${escapeIdentifier(user)} WITH ADMIN OPTION`);
    await client.query(`CREATE DATABASE ${escapeIdentifier(database)} OWNER ${escapeIdentifier(user)}`);
  });
  await withClient(server.superuser, (client) => client.query("CREATE EXTENSION timescaledb"));
}

/** Runs a program of the folder to its end. @throws Error with what it said */
async function run(place: Place, program: string, args: string[]): Promise<void> {
  const said = join(place.folder, "said");
  const output = openSync(said, "w");
  const child = spawnInside(program, args, output);
  closeSync(output);
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`${program} failed:\n${readFileSync(said, "utf8")}`);
}

function spawnInside(program: string, args: string[], output: number): ChildProcess {
  const { id } = serverUser;
  return spawn(
    "chroot",
    // The signal comes when we die, however that happens. It is set last: a change of user clears it.
    [rootFolder(), "setpriv", `--reuid=${id}`, `--regid=${id}`, "--clear-groups", "--pdeathsig=QUIT"].concat(
      program,
      args,
    ),
    {
      cwd: "/",
      stdio: ["ignore", output, output],
      env: { PATH: `/usr/lib/postgresql/17/bin:${toolPath}`, LC_ALL: "C.UTF-8", TZ: "UTC" },
    },
  );
}

async function untilReady(child: ChildProcess, server: TestServer): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    try {
      await withClient({ ...server.superuser, database: "postgres" }, (client) => client.query("SELECT 1"));
      return;
    } catch (error) {
      if (child.exitCode !== null) throw new Error(`postgres ended:\n${server.log().slice(-2000)}`);
      if (Date.now() > deadline)
        throw new Error(`postgres is not ready:\n${server.log().slice(-2000)}`, { cause: error });
      await sleep(50);
    }
  }
}

/** Fast shutdown, and a harder one when that takes too long. */
async function end(child: ChildProcess): Promise<void> {
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await Promise.race([gone, sleep(stopTimeoutMs, undefined, { ref: false })]);
  }
}

function newPassword(): string {
  return randomBytes(24).toString("base64url");
}
