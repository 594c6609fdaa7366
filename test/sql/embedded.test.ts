import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ExitCode, UserError } from "../../infra/errors";
import { type ConnectionTarget, withClient } from "../../infra/schema/postgres";
import { isAnswering, startEmbedded } from "../../ops/embedded";
import { processIdentity } from "../../ops/embedded/lock";
import { projectRoot } from "../../ops/paths";
import { embedded, silent, temporaryDatabaseFolder } from "../support/embedded";

async function userError(work: Promise<unknown>): Promise<UserError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof UserError) return error;
  throw new Error(`expected a UserError, got ${String(error)}`);
}

/** A client that the test may treat badly. */
async function connected(target: ConnectionTarget): Promise<Client & { reset(): void }> {
  const { host, port, user, database } = target;
  const client = new Client({ host, port, user, database });
  client.on("error", () => undefined);
  await client.connect();
  return Object.assign(client, {
    reset: () =>
      (
        client as unknown as { connection: { stream: { resetAndDestroy(): void } } }
      ).connection.stream.resetAndDestroy(),
  });
}

describe("what it serves", () => {
  const database = embedded();

  it("answers a statement of every length around the edges of the backend's reads", async () => {
    await withClient(database.target, async (client) => {
      const wrong: number[] = [];
      for (const edge of [8_192, 3 * 8_192]) {
        for (let length = edge - 100; length < edge + 20; length += 1) {
          const { rows } = await client.query("SELECT length($1::text) AS length", ["x".repeat(length)]);
          if (rows[0].length !== length) wrong.push(length);
        }
      }
      expect(wrong).toEqual([]);
    });
  });

  it("is a TimescaleDB Community that behaves like a server with default settings", async () => {
    await withClient(
      database.target,
      async (client) => {
        await client.query("CREATE TABLE samples (time timestamptz NOT NULL, value float8)");
        await client.query("SELECT create_hypertable('samples', by_range('time'))");
        const { rows } = await client.query(
          `SELECT current_setting('timescaledb.license') AS license, current_setting('search_path') AS search_path,
                current_setting('timezone') AS timezone, current_setting('enable_seqscan') AS enable_seqscan,
                current_setting('client_min_messages') AS client_min_messages,
                current_setting('application_name') AS application_name`,
        );
        expect(rows).toEqual([
          {
            license: "timescale",
            search_path: '"$user", public',
            timezone: "UTC",
            enable_seqscan: "on",
            client_min_messages: "notice",
            application_name: "it's a test",
          },
        ]);
      },
      "it's a test",
    );
  });

  // pglite-socket died of the second one: TCP splits what is above 64 KB.
  it.each([1_000, 10_000, 100_000])("takes an UNNEST of %i rows and gives them back", async (count) => {
    await withClient(database.target, async (client) => {
      await client.query("CREATE TEMP TABLE batch (time timestamptz, value float8)");
      const times = Array.from({ length: count }, (_, i) => new Date(1.7e12 + i * 1_000).toISOString());
      const values = times.map((_, i) => i / 7);
      await client.query("INSERT INTO batch SELECT * FROM unnest($1::timestamptz[], $2::float8[])", [
        times,
        values,
      ]);
      const { rows } = await client.query<{ value: number }>("SELECT value FROM batch ORDER BY time");
      expect(rows.map(({ value }) => value)).toEqual(values);
    });
  });

  it("goes on after an error, in a simple and in a prepared query", async () => {
    await withClient(database.target, async (client) => {
      await expect(client.query("SELECT 1 / 0")).rejects.toThrow("division by zero");
      await expect(client.query("SELECT 1 / $1::int", [0])).rejects.toThrow("division by zero");
      await expect(client.query("SELEC $1", [0])).rejects.toThrow("syntax error");
      expect((await client.query("SELECT $1::int AS one", [1])).rows).toEqual([{ one: 1 }]);
    });
  });

  it("refuses COPY FROM STDIN, which the build would die of", async () => {
    await withClient(database.target, async (client) => {
      await expect(client.query("COPY pg_temp.x FROM STDIN")).rejects.toThrow(
        "not supported by the embedded",
      );
      expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    });
  });

  it("gives the next client nothing of one that vanished, and does not keep it waiting", async () => {
    const vanishing = await connected(database.target);
    await vanishing.query("CREATE ROLE intruder");
    await vanishing.query(
      "SET application_name = 'left over'; SELECT pg_advisory_lock(7); SET ROLE intruder",
    );
    await vanishing.query("PREPARE left_over AS SELECT 1");
    await vanishing.query(
      "RESET ROLE; CREATE TEMP TABLE left_over (x int); BEGIN; CREATE TABLE not_committed (x int)",
    );
    const waiting = connected(database.target);
    const waitingLonger = connected(database.target);
    await sleep(100);
    vanishing.reset();
    const next = await waiting;
    const { rows } = await next.query(
      `SELECT current_user::text AS role, current_setting('application_name') AS application_name,
              to_regclass('not_committed') AS uncommitted, to_regclass('left_over') AS temporary,
              (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') AS locks,
              (SELECT count(*)::int FROM pg_prepared_statements) AS prepared`,
    );
    expect(rows).toEqual([
      { role: "postgres", application_name: "", uncommitted: null, temporary: null, locks: 0, prepared: 0 },
    ]);
    await next.end();
    await (await waitingLonger).end();
  });

  it("answers that it is there while another client is served", async () => {
    await withClient(database.target, async () => {
      expect(await isAnswering(database.target.port)).toBe(true);
    });
  });
});

describe("its process and its files", () => {
  let folder: string;
  let dataDir: string;
  const started: { stop(): Promise<void> }[] = [];

  beforeEach(async () => {
    folder = await temporaryDatabaseFolder();
    dataDir = join(folder, "database");
  });
  afterEach(async () => {
    for (const database of started.splice(0)) await database.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(options: { dataDir: string; port?: number; signal?: AbortSignal }) {
    const database = await startEmbedded({ port: 0, log: silent, ...options });
    started.push(database);
    return database;
  }

  it("keeps what was committed and nothing else when it is killed", async () => {
    const first = await start({ dataDir });
    expect(first.firstStart).toBe(false);
    const client = await connected(first.target);
    await client.query("CREATE TABLE kept (i int)");
    await client.query("INSERT INTO kept SELECT generate_series(1, 1000)");
    await client.query("BEGIN; INSERT INTO kept SELECT generate_series(1, 1000)");
    process.kill(first.pid, "SIGKILL");
    await first.exited;

    const second = await start({ dataDir });
    await withClient(second.target, async (again) => {
      expect((await again.query("SELECT count(*)::int AS count FROM kept")).rows).toEqual([{ count: 1000 }]);
    });
  });

  it("starts over when its first start is killed", async () => {
    const fresh = join(folder, "fresh", "database");
    const abort = new AbortController();
    const starting = start({ dataDir: fresh, signal: abort.signal });
    const refused = userError(starting);
    while (!existsSync(join(fresh, "PG_VERSION"))) await sleep(5);
    abort.abort();
    expect((await refused).exitCode).toBe(ExitCode.interrupted);
    expect(JSON.parse(readFileSync(join(folder, "fresh", "format.json"), "utf8"))).toMatchObject({
      complete: false,
    });

    expect((await start({ dataDir: fresh })).firstStart).toBe(true);
  });

  it("dies with the process that started it", async () => {
    const script = `
      require(${JSON.stringify(join(projectRoot, "ops/embedded"))})
        .startEmbedded({ dataDir: ${JSON.stringify(dataDir)}, port: 0, log: { info() {}, warn() {} } })
        .then(({ pid }) => console.log(pid))`;
    const parent: ChildProcess = spawn(process.execPath, ["--require", "tsx/cjs", "--eval", script], {
      cwd: projectRoot,
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (parent.stdout === null) throw new Error("no stdout");
    const [line] = (await once(createInterface(parent.stdout), "line")) as [string];
    const pid = Number(line);
    expect(processIdentity(pid)).toBeDefined();
    parent.kill("SIGKILL");
    // The next start waits for it.
    await start({ dataDir });
    expect(processIdentity(pid)).toBeUndefined();
  });

  it("refuses a second one on the same files", async () => {
    const first = await start({ dataDir });
    const error = await userError(start({ dataDir }));
    expect(error.message).toBe(
      `the database in ${dataDir} is in use by process ${first.pid} (127.0.0.1:${first.target.port})`,
    );
    expect(error.exitCode).toBe(ExitCode.environment);
    expect(await isAnswering(first.target.port)).toBe(true);
  });

  it("refuses a taken port before it creates anything", async () => {
    const fresh = join(folder, "fresh", "database");
    const other = createServer((socket) => socket.resume().end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(
      0,
      "127.0.0.1",
    );
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      expect(await isAnswering(port)).toBe(false);
      const error = await userError(start({ dataDir: fresh, port }));
      expect(error.message).toContain(`port ${port} on 127.0.0.1 is taken`);
      expect(error.fix).toContain("MS5_DATABASE_PORT");
      expect(error.exitCode).toBe(ExitCode.environment);
      expect(existsSync(fresh)).toBe(false);
    } finally {
      other.close();
      await once(other, "close");
    }
    expect(await isAnswering(port)).toBe(false);
    expect((await start({ dataDir, port })).target.port).toBe(port);
  });

  it("tells damage that shows only when the files are opened, and deletes nothing", async () => {
    const control = join(dataDir, "global/pg_control");
    writeFileSync(control, Buffer.alloc(8192, 0xa5));
    const error = await userError(start({ dataDir }));
    expect(error.message).toContain(`the database in ${dataDir} is damaged`);
    expect(error.fix).toContain(`mv ${folder} ${folder}.old`);
    expect(readFileSync(control)).toEqual(Buffer.alloc(8192, 0xa5));
    expect(existsSync(join(dataDir, "base/1/pg_filenode.map"))).toBe(true);
  });
});

/** A file system with hardly any room, where we may mount one. */
const smallDisk: string | undefined = (() => {
  const folder = mkdtempSync(join(tmpdir(), "ms5-small-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=20m", "tmpfs", folder], { stdio: "ignore" });
    execFileSync("umount", [folder]);
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
})();

it.runIf(smallDisk)("refuses a full disk and creates nothing", async () => {
  const folder = smallDisk ?? "";
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=20m", "tmpfs", folder]);
  try {
    const local = join(folder, ".local");
    mkdirSync(local);
    const error = await userError(startEmbedded({ dataDir: join(local, "database"), port: 0, log: silent }));
    expect(error.message).toMatch(/^no disk space for the embedded database: \d+ MB free in /);
    expect(error.fix).toContain("free at least 128 MB");
    expect(existsSync(join(local, "database"))).toBe(false);
  } finally {
    execFileSync("umount", [folder]);
    rmSync(folder, { recursive: true });
  }
});
