// The service's connections. Whatever the database does - refuses, hangs, is slow - a request gets its answer in time,
// and no more connections are open than the pool has.
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { ConnectionOptions } from "node:tls";
import { Pool, type PoolClient, type PoolConfig, type QueryResultRow } from "pg";
import type { Queryable } from "../../queryable";
import type { DatabaseSettings } from "./settings";

/** ms; with the time a refused or lost request takes on its way, an answer comes within three seconds. */
const deadlineMs = 2_800;
const connectMs = 1_000;
const idleMs = 30_000;
/** ms before the deadline at which the server itself ends what nobody will wait for any more. */
const serverEarlierMs = 300;
/** Requests that may wait for a connection; a longer queue would only make all of them late. */
const mostWaiting = 50;

/**
 * Why there is no answer: `down` (refused, lost, no login), `slow` (not in time) or `busy` (all connections are in use
 * and the queue is full, or did not move).
 */
export type Unavailability = "down" | "slow" | "busy";

export class DatabaseUnavailable extends Error {
  override readonly name = "DatabaseUnavailable";

  constructor(
    readonly why: Unavailability,
    options: { cause?: unknown } = {},
  ) {
    super(`the database is not available (${why})`, options);
  }
}

/** ms and number of sessions, see {@link Database.session}; shorter and one where one session is all there is. */
const sessions = { ms: 300_000, most: 2 };
const onlySession = { ms: 10_000, most: 1 };

/** A connection that is kept for a while. */
export interface Session extends Queryable {
  /** Gives the connection back, whatever is under way; harmless the second time. */
  close(): void;
}

/** How many connections there are, and requests that wait for one. */
export interface PoolCounts {
  readonly most: number;
  readonly open: number;
  readonly idle: number;
  readonly waiting: number;
}

export class Database {
  private readonly pool: Pool;
  private readonly sessionLimits: { readonly ms: number; readonly most: number };
  private openSessions = 0;

  constructor(
    settings: DatabaseSettings,
    private readonly most: number,
    /** Of a connection that broke while nobody used it. */
    onLost: (error: Error) => void = () => undefined,
  ) {
    this.pool = new Pool(poolConfig(settings, most));
    this.pool.on("error", onLost);
    this.sessionLimits = settings.singleSession ? onlySession : sessions;
  }

  /**
   * Runs `work` in one read-only transaction, on one connection.
   *
   * @throws DatabaseUnavailable within `limitMs`; what `work` throws otherwise
   */
  async read<T>(work: (client: Queryable) => Promise<T>, limitMs: number = deadlineMs): Promise<T> {
    if (this.pool.waitingCount >= mostWaiting) throw new DatabaseUnavailable("busy");
    const started = performance.now();
    const client = await this.connect();
    let state: "running" | "late" | "done" = "running";
    const timer = setTimeout(
      () => {
        state = "late";
        // Breaks the connection under the query, which then fails.
        client.release(true);
      },
      Math.max(0, limitMs - (performance.now() - started)),
    );
    // A connection that breaks fails its query; without a listener it would end the process as well.
    const lost = () => undefined;
    client.on("error", lost);
    try {
      // Not as startup parameters: a pooler in between refuses those it does not know.
      await client.query(
        `BEGIN READ ONLY; SET LOCAL statement_timeout = ${limitMs - serverEarlierMs}; SET LOCAL TimeZone = 'UTC'`,
      );
      const result = await work({
        query: async <Row extends QueryResultRow>(text: string, values: readonly unknown[] = []) => ({
          rows: (await client.query<Row>(text, [...values])).rows,
        }),
      });
      await client.query("COMMIT");
      if (state === "running") {
        state = "done";
        client.release();
      }
      return result;
    } catch (error) {
      if ((state as string) === "late") throw new DatabaseUnavailable("slow", { cause: error });
      const why = unavailability(error);
      // Rolling back would have to be waited for; a new connection is as quick, and errors are rare.
      state = "done";
      client.release(true);
      throw why === undefined ? error : new DatabaseUnavailable(why, { cause: error });
    } finally {
      clearTimeout(timer);
      client.off("error", lost);
    }
  }

  /**
   * A connection for what takes longer than an answer may: a file that is sent as it is read. It has no transaction yet. It is
   * broken after five minutes, and its query with it; two can be open at a time. On a database that serves one session at a
   * time everybody else waits for the end of it, and is told that the database is busy after a second: there it is one, for ten
   * seconds.
   *
   * @returns what must be closed
   * @throws DatabaseUnavailable `busy` when as many are open already, and as `read` does; its queries throw the same
   */
  async session(): Promise<Session> {
    if (this.openSessions >= this.sessionLimits.most) throw new DatabaseUnavailable("busy");
    this.openSessions += 1;
    const client = await this.connect().catch((error: unknown) => {
      this.openSessions -= 1;
      throw error;
    });
    // Also after it is closed: a connection that breaks would end the process.
    client.on("error", () => undefined);
    let isOpen = true;
    const close = () => {
      if (!isOpen) return;
      isOpen = false;
      clearTimeout(timer);
      this.openSessions -= 1;
      // Not for others: a cursor or a transaction may be left on it.
      client.release(true);
    };
    const timer = setTimeout(close, this.sessionLimits.ms);
    return {
      close,
      query: async <Row extends QueryResultRow>(text: string, values: readonly unknown[] = []) => {
        try {
          return { rows: (await client.query<Row>(text, [...values])).rows };
        } catch (error) {
          const why = isOpen ? unavailability(error) : "slow";
          throw why === undefined ? error : new DatabaseUnavailable(why, { cause: error });
        }
      },
    };
  }

  counts(): PoolCounts {
    return {
      most: this.most,
      open: this.pool.totalCount,
      idle: this.pool.idleCount,
      waiting: this.pool.waitingCount,
    };
  }

  /** Takes no more work; what is under way ends by its deadline. */
  async close(): Promise<void> {
    await this.pool.end();
  }

  private async connect(): Promise<PoolClient> {
    try {
      return await this.pool.connect();
    } catch (error) {
      const waited = error instanceof Error && error.message.startsWith("timeout exceeded when trying");
      const timedOut = error instanceof Error && /due to connection timeout/.test(error.message);
      throw new DatabaseUnavailable(waited ? "busy" : timedOut ? "slow" : "down", { cause: error });
    }
  }
}

function poolConfig(settings: DatabaseSettings, most: number): PoolConfig {
  const { passwordFile } = settings;
  return {
    host: settings.host,
    port: settings.port,
    database: settings.database,
    user: settings.user,
    ...(passwordFile === undefined
      ? {}
      : { password: async () => (await readFile(passwordFile, "utf8")).trim() }),
    ssl: settings.tls === "disable" ? false : verified(settings.caFile),
    application_name: "ms5-monitoring",
    max: most,
    connectionTimeoutMillis: connectMs,
    idleTimeoutMillis: idleMs,
    // Where one session is all there is, others wait for its end.
    ...(settings.singleSession ? { maxUses: 1 } : {}),
  };
}

/** TLS with the certificate and the host's name verified. The CA is read anew for each connection, as passwords are. */
function verified(caFile: string | undefined): ConnectionOptions {
  if (caFile === undefined) return { rejectUnauthorized: true };
  let last: string | undefined;
  return {
    rejectUnauthorized: true,
    get ca() {
      try {
        last = readFileSync(caFile, "utf8");
      } catch {
        // While the file is being exchanged the one before holds. An empty list trusts nobody.
      }
      return last ?? [];
    },
  };
}

/** Whether an error of a query means that the database is away, rather than that the query is wrong. */
export function unavailability(error: unknown): Unavailability | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === undefined)
    return /^Connection terminated|connection error/i.test(error.message) ? "down" : undefined;
  // query_canceled, lock_not_available
  if (code === "57014" || code === "55P03") return "slow";
  // connection exceptions, shutting down or starting up, no more resources, no login
  if (/^(08|57P|53|28)/.test(code)) return "down";
  return /^E[A-Z]{3,}$/.test(code) ? "down" : undefined;
}
