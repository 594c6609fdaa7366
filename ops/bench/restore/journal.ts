// Writers that remember what was acknowledged, and can be halted for the moment it takes to name a point in time: what a
// restore to that point must have is then known exactly, row by row.
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, type ConnectionTarget, withClient } from "../../../infra/schema/postgres";

/** Rows that a restore to a point must have: of each writer those from 1 on to this number, and no other. */
export interface Moment {
  /** ISO time of the server's clock, in microseconds. */
  readonly at: string;
  readonly lsn: string;
  readonly written: readonly number[];
}

const schema = "ms5_restore_check";
/** Milliseconds without a write around a moment, so that it is not the same microsecond as one's. */
const quietMs = 5;

export class Journal {
  private readonly written: number[] = [];
  /** Milliseconds that each write took, since the last question. */
  private latencies: number[] = [];
  private halted: Promise<void> | undefined;
  private stopped = false;
  private readonly underWay = new Set<Promise<unknown>>();
  private work: Promise<void> = Promise.resolve();

  private constructor(private readonly target: ConnectionTarget) {}

  /**
   * Makes an empty table and begins to write into it.
   *
   * @param writers connections that write one row after the other, each a commit of its own
   * @param payload bytes of each row: more of them is more log
   */
  static async begin(target: ConnectionTarget, writers: number, payload = 100): Promise<Journal> {
    const journal = new Journal(target);
    await withClient(target, async (client) => {
      await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      await client.query(`CREATE SCHEMA ${schema}`);
      await client.query(
        `CREATE TABLE ${schema}.rows (writer integer, number bigint, payload text, PRIMARY KEY (writer, number))`,
      );
    });
    const connected = Array.from({ length: writers }, (_, writer) => journal.write(writer, payload));
    journal.work = Promise.all(connected).then(() => undefined);
    // Whoever stops it hears of it.
    journal.work.catch(() => undefined);
    return journal;
  }

  private async write(writer: number, payload: number): Promise<void> {
    this.written[writer] = 0;
    const text = "x".repeat(payload);
    await withClient(
      this.target,
      async (client) => {
        while (!this.stopped) {
          await this.halted;
          const begun = performance.now();
          const number = (this.written[writer] ?? 0) + 1;
          const statement = client.query({
            name: "write",
            text: `INSERT INTO ${schema}.rows VALUES ($1, $2, $3)`,
            values: [writer, number, text],
          });
          this.underWay.add(statement);
          await statement.finally(() => this.underWay.delete(statement));
          this.written[writer] = number;
          this.latencies.push(performance.now() - begun);
        }
      },
      "ms5 restore check",
    );
  }

  /** A point between two writes, with what was acknowledged before it. */
  async moment(client: Client): Promise<Moment> {
    let resume: () => void = () => undefined;
    this.halted = new Promise((resolve) => {
      resume = resolve;
    });
    try {
      await Promise.all(this.underWay);
      await sleep(quietMs);
      const { rows } = await client.query<{ at: string; lsn: string }>(
        `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
                pg_current_wal_lsn() AS lsn`,
      );
      const [row] = rows;
      if (row === undefined) throw new Error("unexpected: no clock");
      await sleep(quietMs);
      return { ...row, written: [...this.written] };
    } finally {
      this.halted = undefined;
      resume();
    }
  }

  /** What writes took since the last question, in milliseconds. */
  takeLatencies(): number[] {
    const taken = this.latencies;
    this.latencies = [];
    return taken;
  }

  /** @throws what a writer came to grief over */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.work;
  }

  /** Takes its table away. */
  async remove(): Promise<void> {
    await withClient(this.target, (client) => client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`));
  }
}

/** Where a copy differs from a moment; one sentence each, none when it is exact. */
export async function differences(copy: ConnectionTarget, { written }: Moment): Promise<string[]> {
  return withClient(copy, async (client) => {
    const { rows } = await client.query<{ writer: number; count: string; first: string; last: string }>(
      `SELECT writer, count(*), min(number) AS first, max(number) AS last FROM ${schema}.rows GROUP BY writer`,
    );
    const found = new Map(rows.map((row) => [row.writer, row]));
    return written.flatMap((expected, writer) => {
      const has = found.get(writer) ?? { count: "0", first: "1", last: "0" };
      const exact =
        Number(has.count) === expected &&
        Number(has.last) === expected &&
        (expected === 0 || Number(has.first) === 1);
      return exact ? [] : [`writer ${writer}: ${has.count} rows up to ${has.last} instead of ${expected}`];
    });
  });
}
