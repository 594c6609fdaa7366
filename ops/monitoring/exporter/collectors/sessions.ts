import { collector } from "../collector";
import { sample } from "../metrics";

/** One row for each state that any client session has; a row without state for what is of the whole server. */
interface SessionsRow {
  readonly state: string | null;
  readonly sessions: number;
  readonly blocked: number;
  /** Of the oldest transaction; null without any. */
  readonly oldest_seconds: number | null;
  readonly connections_limit: number;
}

/** All states are told always, so that a series does not end when nobody is in it. */
const toldStates = ["active", "idle", "idle in transaction"] as const;

/** The label of a state of pg_stat_activity. */
export function stateLabel(state: string | null): string {
  // An aborted transaction holds on to as much as any other that idles.
  if (state === "idle in transaction (aborted)") return "idle in transaction";
  return toldStates.find((told) => told === state) ?? "other";
}

export const sessions = collector<SessionsRow>({
  name: "sessions",
  // Who waits for a lock says so itself; pg_blocking_pids would stop the lock manager to find out. Not ourselves.
  sql: `
    SELECT a.state, count(a.pid)::float8 AS sessions,
           (count(*) FILTER (WHERE a.wait_event_type = 'Lock'))::float8 AS blocked,
           extract(epoch FROM clock_timestamp() - min(a.xact_start) FILTER (WHERE a.pid <> pg_backend_pid()))::float8
             AS oldest_seconds,
           max(l.connections_limit) AS connections_limit
      FROM (SELECT current_setting('max_connections')::float8 - current_setting('superuser_reserved_connections')::float8
                   - coalesce(current_setting('reserved_connections', true)::float8, 0) AS connections_limit) l
      LEFT JOIN pg_stat_activity a ON a.backend_type = 'client backend'
     GROUP BY a.state`,
  samples: (rows) => {
    const byState = new Map<string, number>([...toldStates, "other"].map((state) => [state, 0]));
    for (const { state, sessions } of rows) {
      const label = stateLabel(state);
      byState.set(label, (byState.get(label) ?? 0) + sessions);
    }
    const blocked = rows.reduce((sum, row) => sum + row.blocked, 0);
    const oldest = Math.max(0, ...rows.map((row) => row.oldest_seconds ?? 0));
    return [
      ...[...byState].flatMap(([state, count]) => sample("timescaledb_connections", { state }, count)),
      ...sample("timescaledb_connections_limit", {}, rows[0]?.connections_limit),
      ...sample("timescaledb_blocked_sessions", {}, blocked),
      ...sample("timescaledb_longest_transaction_seconds", {}, oldest),
    ];
  },
});
