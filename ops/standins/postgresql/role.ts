import { createHash } from "node:crypto";
import { type Client, escapeIdentifier, escapeLiteral } from "../../../infra/schema/postgres";
import { type Failure, type Kind, stateOf } from "../kind";
import { type Bag, flag, integer, requiredText, sameValue, text, texts } from "../values";
import { verifier } from "./scram";
import { asMemberOf, currentName, exists, type PostgresServer, row, session, transaction } from "./server";

/** Each attribute with the keyword that sets it; `NO` before it takes it away. */
const attributes = [
  ["superuser", "SUPERUSER"],
  ["createDatabase", "CREATEDB"],
  ["createRole", "CREATEROLE"],
  ["inherit", "INHERIT"],
  ["login", "LOGIN"],
  ["bypassRowLevelSecurity", "BYPASSRLS"],
  ["replication", "REPLICATION"],
] as const;

/** Settings that a role's sessions start with. */
const settings = [
  ["statementTimeout", "statement_timeout"],
  ["idleInTransactionSessionTimeout", "idle_in_transaction_session_timeout"],
] as const;

/** `postgresql.Role`: a role, its password, its memberships and the settings of its sessions. */
export function roleKind(server: PostgresServer): Kind {
  const kind: Kind = {
    inputs: {
      name: { autoNamed: true },
      assumeRole: {},
      bypassRowLevelSecurity: { default: false },
      connectionLimit: { default: -1 },
      createDatabase: { default: false },
      createRole: { default: false },
      encrypted: {},
      encryptedPassword: { default: true },
      idleInTransactionSessionTimeout: {},
      inherit: { default: true },
      login: { default: false },
      password: { secret: true },
      passwordWo: { secret: true, writeOnly: true },
      passwordWoVersion: {},
      replication: { default: false },
      roles: { unordered: true },
      searchPaths: {},
      skipDropRole: { default: false },
      skipReassignOwned: { default: false },
      statementTimeout: {},
      superuser: { default: false },
      validUntil: { default: "infinity" },
    },
    outputs: {},
    check: checkRole,

    async create(inputs, urn) {
      const name = requiredText(inputs, "name");
      return transaction(server, undefined, async (client) => {
        const interrupted = await leftBehind(client, name, mark(urn, server));
        // Only what differs: naming SUPERUSER or REPLICATION, even to deny them, takes a superuser.
        const live = interrupted ? await readRole(client, name) : undefined;
        const statements =
          live === undefined
            ? [`CREATE ROLE ${escapeIdentifier(name)} WITH ${roleOptions(inputs)}`]
            : alterations(name, live, inputs);
        for (const sql of statements) await client.query(sql);
        await client.query(
          `COMMENT ON ROLE ${escapeIdentifier(name)} IS ${escapeLiteral(mark(urn, server))}`,
        );
        await setMemberships(client, inputs, interrupted);
        for (const sql of sessionSettings({}, inputs)) await client.query(sql);
        return { id: name, state: await stateAfter(client, name, stateOf(kind, inputs)) };
      });
    },

    async read(id, state) {
      const name = currentName(id, state);
      return session(server, undefined, async (client) => {
        const live = await readRole(client, name);
        if (live === undefined) return undefined;
        const password = await readPassword(client, server, name, live, text(state, "password"));
        return {
          id: name,
          state: { ...state, ...live, ...(password === undefined ? {} : { password }) },
        };
      });
    },

    async update(id, state, inputs) {
      return transaction(server, undefined, async (client) => {
        for (const sql of alterations(currentName(id, state), state, inputs)) await client.query(sql);
        await setMemberships(client, inputs, true);
        for (const sql of sessionSettings(state, inputs)) await client.query(sql);
        return stateAfter(client, requiredText(inputs, "name"), stateOf(kind, inputs));
      });
    },

    async delete(id, state) {
      const name = currentName(id, state);
      const role = escapeIdentifier(name);
      await transaction(server, undefined, async (client) => {
        if (!flag(state, "skipReassignOwned")) {
          await asMemberOf(client, [name], async () => {
            await client.query(`REASSIGN OWNED BY ${role} TO ${escapeIdentifier(server.roleName)}`);
            await client.query(`DROP OWNED BY ${role}`);
          });
        }
        if (!flag(state, "skipDropRole")) await client.query(`DROP ROLE ${role}`);
      });
    },
  };
  return kind;
}

function checkRole(inputs: Bag): Failure[] {
  const failures: Failure[] = [];
  for (const [property, least] of [
    ["connectionLimit", -1],
    ["statementTimeout", 0],
    ["idleInTransactionSessionTimeout", 0],
  ] as const) {
    const value = integer(inputs, property);
    if (value !== undefined && value < least) {
      failures.push({ property, reason: `it is ${value} and must be at least ${least}` });
    }
  }
  if (inputs.password !== undefined && inputs.passwordWo !== undefined) {
    failures.push({ property: "password", reason: "it excludes passwordWo" });
  }
  if ((inputs.passwordWo === undefined) !== (inputs.passwordWoVersion === undefined)) {
    failures.push({ property: "passwordWo", reason: "it and passwordWoVersion need one another" });
  }
  if (texts(inputs, "searchPaths").some((path) => path.includes(", "))) {
    failures.push({
      property: "searchPaths",
      reason: "a schema's name must not contain a comma and a space",
    });
  }
  return failures;
}

/** The options of a new role. */
function roleOptions(inputs: Bag): string {
  const password = text(inputs, "password") || text(inputs, "passwordWo") || undefined;
  return [
    ...(password === undefined ? [] : [passwordOption(password)]),
    `VALID UNTIL ${escapeLiteral(text(inputs, "validUntil") || "infinity")}`,
    `CONNECTION LIMIT ${integer(inputs, "connectionLimit") ?? -1}`,
    ...attributes.map(([property, keyword]) => (flag(inputs, property) ? keyword : `NO${keyword}`)),
  ].join(" ");
}

function passwordOption(password: string): string {
  return `PASSWORD ${password.toUpperCase() === "NULL" ? "NULL" : escapeLiteral(verifier(password))}`;
}

/** The statements that bring an existing role from the recorded state to the inputs. */
function alterations(before: string, state: Bag, inputs: Bag): string[] {
  const name = requiredText(inputs, "name");
  const changed = (property: string): boolean =>
    !sameValue(state[property] ?? null, inputs[property] ?? null, false);
  const options: string[] = [];
  const password = text(inputs, "password") || undefined;
  const writeOnly = text(inputs, "passwordWo") || undefined;
  if (writeOnly !== undefined) {
    if (changed("passwordWoVersion")) options.push(passwordOption(writeOnly));
  } else if (password !== undefined && (changed("password") || name !== before)) {
    // An MD5 hash is salted with the name, so renaming takes the password away.
    options.push(passwordOption(password));
  }
  if (changed("validUntil")) {
    options.push(`VALID UNTIL ${escapeLiteral(text(inputs, "validUntil") || "infinity")}`);
  }
  if (changed("connectionLimit")) {
    options.push(`CONNECTION LIMIT ${integer(inputs, "connectionLimit") ?? -1}`);
  }
  for (const [property, keyword] of attributes) {
    if (flag(state, property) !== flag(inputs, property)) {
      options.push(flag(inputs, property) ? keyword : `NO${keyword}`);
    }
  }
  return [
    ...(name === before
      ? []
      : [`ALTER ROLE ${escapeIdentifier(before)} RENAME TO ${escapeIdentifier(name)}`]),
    ...(options.length === 0 ? [] : [`ALTER ROLE ${escapeIdentifier(name)} WITH ${options.join(" ")}`]),
  ];
}

function sessionSettings(state: Bag, inputs: Bag): string[] {
  const role = `ALTER ROLE ${escapeIdentifier(requiredText(inputs, "name"))}`;
  const statements: string[] = [];
  const paths = texts(inputs, "searchPaths").map(escapeIdentifier).join(", ");
  if (paths !== texts(state, "searchPaths").map(escapeIdentifier).join(", ")) {
    statements.push(paths === "" ? `${role} RESET search_path` : `${role} SET search_path TO ${paths}`);
  }
  for (const [property, setting] of settings) {
    const value = integer(inputs, property) ?? 0;
    if (value === (integer(state, property) ?? 0)) continue;
    statements.push(value === 0 ? `${role} RESET ${setting}` : `${role} SET ${setting} TO ${value}`);
  }
  const assumed = text(inputs, "assumeRole") ?? "";
  if (assumed !== (text(state, "assumeRole") ?? "")) {
    statements.push(
      assumed === "" ? `${role} RESET ROLE` : `${role} SET ROLE TO ${escapeIdentifier(assumed)}`,
    );
  }
  return statements;
}

/** As the official plugin does at every update: what `roles` doesn't name is revoked, whoever granted it. */
async function setMemberships(client: Client, inputs: Bag, revokeFirst: boolean): Promise<void> {
  const name = requiredText(inputs, "name");
  const member = escapeIdentifier(name);
  const held = revokeFirst ? await memberships(client, name) : [];
  for (const role of held) await client.query(`REVOKE ${escapeIdentifier(role)} FROM ${member}`);
  for (const role of texts(inputs, "roles")) {
    await client.query(`GRANT ${escapeIdentifier(role)} TO ${member}`);
  }
}

async function memberships(client: Client, name: string): Promise<string[]> {
  const { rows } = await client.query<{ role: string }>(
    `SELECT DISTINCT pg_get_userbyid(roleid) AS role FROM pg_auth_members
      WHERE pg_get_userbyid(member) = $1 ORDER BY 1`,
    [name],
  );
  return rows.map(({ role }) => role);
}

interface RoleRow {
  readonly rolsuper: boolean;
  readonly rolinherit: boolean;
  readonly rolcreaterole: boolean;
  readonly rolcreatedb: boolean;
  readonly rolcanlogin: boolean;
  readonly rolreplication: boolean;
  readonly rolbypassrls: boolean;
  readonly rolconnlimit: number;
  readonly valid_until: string;
  readonly rolconfig: string[] | null;
}

async function readRole(client: Client, name: string): Promise<Bag | undefined> {
  const found = await row<RoleRow>(
    client,
    `SELECT rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
            rolconnlimit, COALESCE(rolvaliduntil::text, 'infinity') AS valid_until, rolconfig
       FROM pg_roles WHERE rolname = $1`,
    [name],
  );
  if (found === undefined) return undefined;
  const setting = (key: string): string | undefined =>
    found.rolconfig?.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1);
  return {
    name,
    assumeRole: setting("role") ?? "",
    bypassRowLevelSecurity: found.rolbypassrls,
    connectionLimit: found.rolconnlimit,
    createDatabase: found.rolcreatedb,
    createRole: found.rolcreaterole,
    encryptedPassword: true,
    idleInTransactionSessionTimeout: Number.parseInt(
      setting("idle_in_transaction_session_timeout") ?? "0",
      10,
    ),
    inherit: found.rolinherit,
    login: found.rolcanlogin,
    replication: found.rolreplication,
    roles: await memberships(client, name),
    searchPaths: (setting("search_path") ?? "")
      .split(", ")
      .map((part) => part.replace(/^"|"$/g, ""))
      .filter((part) => part !== ""),
    statementTimeout: Number.parseInt(setting("statement_timeout") ?? "0", 10),
    superuser: found.rolsuper,
    validUntil: found.valid_until,
  };
}

async function stateAfter(client: Client, name: string, state: Bag): Promise<Bag> {
  return { ...state, ...(await readRole(client, name)) };
}

/**
 * The recorded password, unless a superuser sees that the role has none or another one. A SCRAM verifier is
 * taken for the recorded password's, as the official plugin does.
 */
async function readPassword(
  client: Client,
  server: PostgresServer,
  name: string,
  live: Bag,
  recorded: string | undefined,
): Promise<string | undefined> {
  if (recorded === undefined || !server.superuser || live.login !== true) return recorded;
  const found = await row<{ passwd: string }>(
    client,
    "SELECT COALESCE(passwd, '') AS passwd FROM pg_shadow WHERE usename = $1",
    [name],
  );
  const stored = found?.passwd ?? "";
  const isHash = recorded.startsWith("md5") || recorded.startsWith("SCRAM-SHA-256");
  if (!isHash && stored.startsWith("SCRAM-SHA-256")) return recorded;
  const md5 = `md5${createHash("md5").update(`${recorded}${name}`).digest("hex")}`;
  return stored === md5 ? recorded : stored;
}

/**
 * A role is made before the engine records it. If the run is killed in between, the next run finds the role
 * there; by this comment it knows its own and carries on, where the official plugin would need an import.
 */
function mark(urn: string, { target }: PostgresServer): string {
  // Roles are the server's, not the database's: a stack of the same name on another one has the same urn.
  return `made by the postgresql stand-in for ${urn}, database ${target.database}`;
}

async function leftBehind(client: Client, name: string, comment: string): Promise<boolean> {
  return exists(
    client,
    "SELECT 1 FROM pg_roles WHERE rolname = $1 AND shobj_description(oid, 'pg_authid') = $2",
    [name, comment],
  );
}
