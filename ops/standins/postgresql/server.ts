/** The server that one configured provider manages: where it is, and sessions on its databases. */

import { UserError } from "../../../infra/errors";
import {
  type Client,
  type ConnectionTarget,
  escapeIdentifier,
  withClient,
  withTransaction,
} from "../../../infra/schema/postgres";
import { type Bag, text, type Value } from "../values";

export interface PostgresServer {
  readonly target: ConnectionTarget;
  /** The role behind the login, where a user name map makes the two differ. */
  readonly roleName: string;
  /** Whether passwords may be read back. */
  readonly superuser: boolean;
}

/** Ways to connect that only the official plugin has. */
const unsupported = [
  "awsRdsIamAuth",
  "azureIdentityAuth",
  "clientcert",
  "gcpIamImpersonateServiceAccount",
] as const;

/**
 * Reads the provider's configuration; numbers and booleans come as JSON text.
 *
 * @throws UserError for what the stand-in has not got
 */
export function serverOf(config: Bag, environment: NodeJS.ProcessEnv): PostgresServer {
  const setting = (name: string, variable?: string): string | undefined =>
    plain(config[name]) ?? (variable === undefined ? undefined : environment[variable]);
  for (const name of unsupported) {
    if (["", "false", "null"].includes(setting(name) ?? "")) continue;
    throw notSupported(`provider setting ${name}`);
  }
  const scheme = setting("scheme") ?? "postgres";
  if (scheme !== "postgres") throw notSupported(`scheme ${scheme}`);
  const user = setting("username", "PGUSER") ?? "postgres";
  const password = setting("password", "PGPASSWORD");
  const caFile = setting("sslrootcert");
  return {
    target: {
      host: setting("host", "PGHOST") ?? "localhost",
      port: Number(setting("port", "PGPORT") ?? 5432),
      database: setting("database", "PGDATABASE") ?? "postgres",
      user,
      ...(password === undefined ? {} : { password }),
      tls: tlsMode(setting("sslmode", "PGSSLMODE") ?? setting("sslMode") ?? "require"),
      ...(caFile === undefined ? {} : { caFile }),
      // It may be the embedded database, which nothing in the official configuration tells; on any other
      // server one short session after the other is merely slow.
      singleSession: true,
    },
    roleName: setting("databaseUsername") ?? user,
    superuser: (setting("superuser", "PGSUPERUSER") ?? "true") === "true",
  };
}

function plain(value: Value | undefined): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function tlsMode(mode: string): ConnectionTarget["tls"] {
  if (mode === "disable" || mode === "require" || mode === "verify-full") return mode;
  throw notSupported(`sslmode ${mode}`);
}

function notSupported(what: string): UserError {
  return new UserError(`the postgresql stand-in does not support ${what}`, {
    fix: "use sslmode disable, require or verify-full and a password, or install the official plugin",
  });
}

/** One session on a database (`undefined`: the provider's own), without a transaction. */
export function session<T>(
  server: PostgresServer,
  database: string | undefined,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const target = database === undefined ? server.target : { ...server.target, database };
  return withClient(target, work, "ms5 postgresql stand-in");
}

/** One session and one transaction on a database. */
export function transaction<T>(
  server: PostgresServer,
  database: string | undefined,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  return session(server, database, (client) => withTransaction(client, () => work(client)));
}

/** The name of a role or database. The engine keeps the id of a resource as it was made, through every renaming. */
export function currentName(id: string, state: Bag): string {
  return text(state, "name") ?? id;
}

/** The first row, or `undefined`. */
export async function row<R extends object>(
  client: Client,
  sql: string,
  values: unknown[],
): Promise<R | undefined> {
  const { rows } = await client.query<R>(sql, values);
  return rows[0];
}

export async function exists(client: Client, sql: string, values: unknown[]): Promise<boolean> {
  return (await row(client, sql, values)) !== undefined;
}

/** The database's owner, who may create schemas in it. @param database `undefined`: the session's own */
export async function databaseOwner(client: Client, database: string | undefined): Promise<string> {
  const found = await row<{ owner: string }>(
    client,
    `SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = COALESCE($1, current_database())`,
    [database ?? null],
  );
  if (found === undefined) throw new Error(`there is no database ${database}`);
  return found.owner;
}

/**
 * Does `work` as a member of `roles`, which a user who is not a superuser must be to change what they own. The
 * memberships are lent for this transaction only.
 */
export async function asMemberOf<T>(
  client: Client,
  roles: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const me = await row<{ name: string; rolsuper: boolean }>(
    client,
    "SELECT rolname AS name, rolsuper FROM pg_roles WHERE rolname = current_user",
    [],
  );
  if (me === undefined || me.rolsuper) return work();
  const lent: string[] = [];
  const suspended: string[] = [];
  for (const role of new Set(roles)) {
    if (role === me.name) continue;
    if (await exists(client, "SELECT 1 FROM pg_roles WHERE rolname = $1 AND rolsuper", [role])) continue;
    // Two roles cannot be members of one another.
    if (await revoke(client, me.name, role)) suspended.push(role);
    if (await grant(client, role, me.name)) lent.push(role);
  }
  const result = await work();
  for (const role of lent) await revoke(client, role, me.name);
  for (const role of suspended) {
    if (await exists(client, "SELECT 1 FROM pg_roles WHERE rolname = $1", [role])) {
      await grant(client, me.name, role);
    }
  }
  return result;
}

/** @returns whether there was something to grant */
async function grant(client: Client, role: string, member: string): Promise<boolean> {
  if (await isMember(client, role, member)) return false;
  await client.query(`GRANT ${escapeIdentifier(role)} TO ${escapeIdentifier(member)}`);
  return true;
}

/** @returns whether there was something to revoke */
async function revoke(client: Client, role: string, member: string): Promise<boolean> {
  if (!(await isMember(client, role, member))) return false;
  await client.query(`REVOKE ${escapeIdentifier(role)} FROM ${escapeIdentifier(member)}`);
  return true;
}

async function isMember(client: Client, role: string, member: string): Promise<boolean> {
  // Since PostgreSQL 16 whoever creates a role is its member, but without the right to act as it.
  const settable = (await majorVersion(client)) >= 16 ? "AND set_option" : "";
  return exists(
    client,
    `SELECT 1 FROM pg_auth_members
      WHERE pg_get_userbyid(roleid) = $1 AND pg_get_userbyid(member) = $2 ${settable}`,
    [role, member],
  );
}

/** E.g. 17. */
export async function majorVersion(client: Client): Promise<number> {
  const found = await row<{ version: number }>(
    client,
    "SELECT current_setting('server_version_num')::int / 10000 AS version",
    [],
  );
  return found?.version ?? 0;
}
