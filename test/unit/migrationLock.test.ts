import type { Client } from "pg";
import { describe, expect, it } from "vitest";
import { ExitCode } from "../../infra/errors";
import { withMigrationLock } from "../../infra/schema/migrations/lock";

/** Answers as a server whose lock becomes free at the n-th attempt would; test/sql/migrationServer has a real one. */
function server(freeAtAttempt: number): { client: Client; queries: string[] } {
  const queries: string[] = [];
  let attempts = 0;
  const query = async (text: string) => {
    queries.push(text);
    if (text.includes("pg_try_advisory_lock")) return { rows: [{ locked: ++attempts >= freeAtAttempt }] };
    if (text.includes("pg_stat_activity"))
      return {
        rows: [
          { pid: 71, user: "ms5_migrator", application_name: "ms5", since: new Date("2026-03-01T08:00:00Z") },
        ],
      };
    return { rows: [] };
  };
  return { client: { query } as unknown as Client, queries };
}

describe("withMigrationLock", () => {
  it("waits for its turn and gives the lock back, also when the work fails", async () => {
    const { client, queries } = server(2);
    const work = () => Promise.reject(new Error("of the work"));
    await expect(withMigrationLock(client, 5_000, work)).rejects.toThrow("of the work");
    expect(queries.at(-1)).toContain("pg_advisory_unlock");
  });

  it("gives up in time, naming the holder, without having done the work or unlocked", async () => {
    const { client, queries } = server(1_000);
    const started = Date.now();
    const waiting = withMigrationLock(client, 300, () => Promise.reject(new Error("must not run")));
    await expect(waiting).rejects.toMatchObject({
      message:
        "waited 0.3 s for the migration lock; it is held by another runner, server process 71 (user ms5_migrator, application ms5, connected since 2026-03-01T08:00:00.000Z)",
      fix: expect.stringContaining("SELECT pg_terminate_backend(71)"),
      exitCode: ExitCode.failed,
    });
    expect(Date.now() - started).toBeLessThan(2_000);
    expect(queries.some((query) => query.includes("pg_advisory_unlock"))).toBe(false);
  });
});
