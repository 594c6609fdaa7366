// GET /health/database: what an administrator wants to know of PostgreSQL itself.
import { z } from "zod";
import type { Queryable } from "../../../queryable";
import { check, type DatabaseFacts, databaseChecks, statuses, worst } from "../checks";
import { keepMs, type RouteGroup } from "../context";
import { accessProblems, bearer, noParameters } from "../schemas";

export const databaseHealth: RouteGroup =
  ({ monitor, shared }) =>
  async (app) => {
    app.get(
      "/health/database",
      {
        config: { access: "admin" },
        schema: {
          summary: "Health of PostgreSQL: replication, connections, long transactions, transaction ids, size",
          security: bearer,
          querystring: noParameters,
          response: {
            ...accessProblems,
            200: z.object({ status: z.enum(statuses), checks: z.array(check) }),
          },
        },
      },
      async () => {
        const facts = await shared.get("health/database", keepMs, () => monitor.read(readDatabaseFacts));
        const checks = databaseChecks(facts);
        return { status: worst(checks), checks };
      },
    );
  };

export async function readDatabaseFacts(client: Queryable): Promise<DatabaseFacts> {
  const { rows } = await client.query<DatabaseFacts>(
    // The embedded database has databases beside its own that were never written to, and no oldest transaction there.
    `SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS standby,
            (SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming')::int AS streaming,
            (SELECT count(*) FROM pg_stat_replication WHERE state IS DISTINCT FROM 'streaming')::int AS "notStreaming",
            (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int AS connections,
            current_setting('max_connections')::int AS "connectionsLimit",
            (SELECT coalesce(max(extract(epoch FROM now() - xact_start)), 0)::float8 FROM pg_stat_activity
              WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS "longestTransactionSeconds",
            (SELECT max(age(datfrozenxid))::float8 FROM pg_database WHERE datfrozenxid <> '0'::xid) AS "transactionIdAge",
            pg_database_size(current_database())::float8 AS "sizeBytes"`,
  );
  const row = rows[0];
  if (row === undefined) throw new Error("a query without FROM gave no row");
  return row;
}
