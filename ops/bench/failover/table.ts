/** What the benchmark makes in the database, and takes away again. */
import { randomBytes } from "node:crypto";
import { type Member, sqlInside } from "./inside";

const schema = "bench_failover";

/** Numbers by who wrote them. Rows are only added. */
export const table = `${schema}.counter`;

/** As whom clients write. */
export const role = "ms5_bench_failover";

/** Makes table and role. @returns the role's password @throws Error with what the server says */
export async function makeTable(primary: Member): Promise<string> {
  await dropTable(primary);
  const password = randomBytes(18).toString("base64url");
  await sqlInside(
    primary,
    `SET pgaudit.log TO none;
     SET log_min_error_statement TO panic;
     CREATE ROLE ${role} LOGIN PASSWORD '${password}';
     CREATE SCHEMA ${schema};
     CREATE TABLE ${table} (source text, number bigint, PRIMARY KEY (source, number));
     GRANT USAGE ON SCHEMA ${schema} TO ${role};
     GRANT INSERT ON ${table} TO ${role};`,
  );
  return password;
}

/** Fine where there is nothing. */
export async function dropTable(primary: Member): Promise<void> {
  await sqlInside(
    primary,
    `SET client_min_messages TO warning;
     DROP SCHEMA IF EXISTS ${schema} CASCADE;
     SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}';
     DROP ROLE IF EXISTS ${role};`,
  );
}

/** Keys of what is in the table. @param least by source, from which number on */
export async function rowsOf(primary: Member, least: ReadonlyMap<string, number>): Promise<Set<string>> {
  if (least.size === 0) return new Set();
  const values = [...least].map(([source, number]) => `('${source}', ${number})`).join(", ");
  return new Set(
    await sqlInside(
      primary,
      `SELECT source, c.number FROM ${table} c JOIN (VALUES ${values}) since (source, number) USING (source)
       WHERE c.number >= since.number`,
    ),
  );
}
