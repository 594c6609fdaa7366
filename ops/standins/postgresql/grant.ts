import { type Client, escapeIdentifier } from "../../../infra/schema/postgres";
import { type Failure, type Kind, type Property, stateOf } from "../kind";
import { type Bag, flag, requiredText, text, texts } from "../values";
import { checkPrivileges, officialOrder, samePrivileges } from "./privileges";
import {
  asMemberOf,
  databaseOwner,
  exists,
  majorVersion,
  type PostgresServer,
  row,
  session,
  transaction,
} from "./server";

const replaces: Property = { replaces: true };
const required: Property = { required: true, replaces: true };

/** Kinds of object that belong to no schema. */
const withoutSchema = ["database", "foreign_data_wrapper", "foreign_server"];

const objectTypes = [
  "database",
  "function",
  "procedure",
  "routine",
  "schema",
  "sequence",
  "table",
  "foreign_data_wrapper",
  "foreign_server",
  "column",
];

/** `postgresql.Grant`: exactly these privileges of one role on objects of one kind. */
export function grantKind(server: PostgresServer): Kind {
  const kind: Kind = {
    inputs: {
      columns: { replaces: true, unordered: true },
      database: required,
      objectType: { ...required, oneOf: objectTypes },
      objects: { replaces: true, unordered: true },
      privileges: { required: true, unordered: true },
      role: required,
      schema: replaces,
      withGrantOption: { replaces: true, default: false },
    },
    outputs: {},
    deleteBeforeReplace: true,
    check: checkGrant,

    async create(inputs) {
      await apply(server, inputs, inputs);
      return { id: grantId(inputs), state: await readGrant(server, stateOf(kind, inputs)) };
    },

    async read(id, state) {
      if (Object.keys(state).length === 0) throw new Error("a Grant cannot be imported");
      if (!(await grantable(server, state))) return undefined;
      return { id, state: await readGrant(server, state) };
    },

    async update(_id, state, inputs) {
      await apply(server, state, inputs);
      return readGrant(server, stateOf(kind, inputs));
    },

    async delete(_id, state) {
      await transaction(server, requiredText(state, "database"), async (client) => {
        await asMemberOf(client, await owners(client, state), async () => {
          await client.query(revokeSql(state));
        });
      });
    },
  };
  return kind;
}

/** What the official plugin refuses, some of it only when it is too late. */
function checkGrant(inputs: Bag): Failure[] {
  const failures: Failure[] = [];
  const refuse = (property: string, reason: string): void => {
    failures.push({ property, reason });
  };
  const type = requiredText(inputs, "objectType");
  const [objects, columns] = [texts(inputs, "objects"), texts(inputs, "columns")];
  if (!withoutSchema.includes(type) && !text(inputs, "schema")) {
    refuse("schema", `it is required for objectType ${type}`);
  }
  if ((type === "database" || type === "schema") && objects.length > 0) {
    refuse("objects", `there must be none for objectType ${type}`);
  }
  if (type === "column" && columns.length === 0) refuse("columns", "they are required for objectType column");
  if (type !== "column" && columns.length > 0) refuse("columns", "they need objectType column");
  if (type === "column" && texts(inputs, "privileges").length !== 1) {
    refuse("privileges", "there must be exactly one for objectType column");
  }
  if (["column", "foreign_data_wrapper", "foreign_server"].includes(type) && objects.length !== 1) {
    refuse("objects", `there must be exactly one for objectType ${type}`);
  }
  return failures;
}

/** Revoking first takes away what is no longer wanted; in one transaction nobody notices. */
async function apply(server: PostgresServer, old: Bag, inputs: Bag): Promise<void> {
  await transaction(server, requiredText(inputs, "database"), async (client) => {
    const privileges = texts(inputs, "privileges");
    checkPrivileges(requiredText(inputs, "objectType"), privileges, await majorVersion(client));
    await asMemberOf(client, await owners(client, inputs), async () => {
      await client.query(revokeSql(old));
      if (privileges.length > 0) await client.query(grantSql(inputs));
    });
  });
}

/** The roles whose objects a user who is not a superuser can change only as their member. */
async function owners(client: Client, bag: Bag): Promise<string[]> {
  const type = requiredText(bag, "objectType");
  if (withoutSchema.includes(type)) return [];
  const schema = requiredText(bag, "schema");
  const schemaOwner = await row<{ owner: string }>(
    client,
    "SELECT pg_get_userbyid(nspowner) AS owner FROM pg_namespace WHERE nspname = $1",
    [schema],
  );
  if (schemaOwner === undefined) {
    throw new Error(`there is no schema ${schema} in database ${requiredText(bag, "database")}`);
  }
  const { rows } = await client.query<{ owner: string }>(
    "SELECT DISTINCT tableowner AS owner FROM pg_tables WHERE schemaname = $1 AND $2 <> 'schema'",
    [schema, type],
  );
  const all = [...rows.map(({ owner }) => owner), schemaOwner.owner];
  const resolved = all.map((owner) =>
    owner === "pg_database_owner" ? databaseOwner(client, undefined) : owner,
  );
  return Promise.all(resolved);
}

export function grantSql(bag: Bag): string {
  const privileges = texts(bag, "privileges").join(", ");
  const columns = texts(bag, "columns").map(escapeIdentifier).join(", ");
  const what = columns === "" ? privileges : `${privileges} (${columns})`;
  const option = flag(bag, "withGrantOption") ? " WITH GRANT OPTION" : "";
  return `GRANT ${what} ON ${objectsSql(bag)} TO ${grantee(bag)}${option}`;
}

export function revokeSql(bag: Bag): string {
  const type = requiredText(bag, "objectType");
  const privileges = texts(bag, "privileges").join(", ");
  const columns = texts(bag, "columns").map(escapeIdentifier).join(", ");
  if (type === "column") {
    return privileges === "" || columns === ""
      ? "SELECT NULL"
      : `REVOKE ${privileges} (${columns}) ON ${objectsSql(bag)} FROM ${grantee(bag)}`;
  }
  // Named objects lose only the named privileges: REVOKE ALL on a table would take its column grants along.
  const named = !withoutSchema.includes(type) && texts(bag, "objects").length > 0 && privileges !== "";
  return `REVOKE ${named ? privileges : "ALL PRIVILEGES"} ON ${objectsSql(bag)} FROM ${grantee(bag)}`;
}

function objectsSql(bag: Bag): string {
  const type = requiredText(bag, "objectType");
  const objects = texts(bag, "objects");
  switch (type) {
    case "database":
      return `DATABASE ${escapeIdentifier(requiredText(bag, "database"))}`;
    case "schema":
      return `SCHEMA ${escapeIdentifier(requiredText(bag, "schema"))}`;
    case "foreign_data_wrapper":
    case "foreign_server":
      return `${type.toUpperCase().replaceAll("_", " ")} ${objects.map(escapeIdentifier).join(", ")}`;
    default: {
      const schema = escapeIdentifier(requiredText(bag, "schema"));
      const keyword = type === "column" ? "TABLE" : type.toUpperCase();
      if (objects.length === 0) return `ALL ${keyword}S IN SCHEMA ${schema}`;
      return `${keyword} ${objects.map((name) => `${schema}.${objectName(name)}`).join(", ")}`;
    }
  }
}

/** A function may come with its argument types: `total(integer, text)`. */
function objectName(name: string): string {
  const [, base = name, args = ""] = /^([^(]*)(\(.*)?$/s.exec(name) ?? [];
  return escapeIdentifier(base) + args;
}

/** `public` is no role but everybody. */
function grantee(bag: Bag): string {
  const role = requiredText(bag, "role");
  return role === "public" ? "PUBLIC" : escapeIdentifier(role);
}

function grantId(bag: Bag): string {
  const type = requiredText(bag, "objectType");
  return [
    requiredText(bag, "role"),
    requiredText(bag, "database"),
    ...(withoutSchema.includes(type) ? [] : [requiredText(bag, "schema")]),
    type,
    ...officialOrder(texts(bag, "objects")),
    ...officialOrder(texts(bag, "columns")),
  ].join("_");
}

/** Whether database, role and schema are still there; without them the grant is gone too. */
export async function grantable(server: PostgresServer, state: Bag): Promise<boolean> {
  const database = requiredText(state, "database");
  const role = requiredText(state, "role");
  const schema = text(state, "schema") ?? "";
  const inServer = await session(
    server,
    undefined,
    async (client) =>
      (await exists(client, "SELECT 1 FROM pg_database WHERE datname = $1", [database])) &&
      (role === "public" || (await exists(client, "SELECT 1 FROM pg_roles WHERE rolname = $1", [role]))),
  );
  if (!inServer || schema === "" || withoutSchema.includes(requiredText(state, "objectType")))
    return inServer;
  return session(server, database, (client) =>
    exists(client, "SELECT 1 FROM pg_namespace WHERE nspname = $1", [schema]),
  );
}

/** The state with the privileges there really are: those of the first object that differs. */
async function readGrant(server: PostgresServer, state: Bag): Promise<Bag> {
  const type = requiredText(state, "objectType");
  const wanted = texts(state, "privileges");
  return session(server, requiredText(state, "database"), async (client) => {
    const version = await majorVersion(client);
    const live = await grantedByObject(client, state);
    if (type === "column") {
      const columns = texts(state, "columns");
      const held = columns.filter((column) => live.has(column));
      return held.length === columns.length ? state : { ...state, columns: held };
    }
    // An object that was dropped took the grant along, also when it is there again later.
    if (texts(state, "objects").some((name) => !live.has(name))) return { ...state, privileges: [] };
    for (const privileges of live.values()) {
      if (!samePrivileges(type, privileges, wanted, version)) return { ...state, privileges };
    }
    return state;
  });
}

/** Object (or column) name → the role's own privileges on it. */
async function grantedByObject(client: Client, state: Bag): Promise<Map<string, string[]>> {
  const type = requiredText(state, "objectType");
  const objects = texts(state, "objects");
  const { from, values } = accessLists(state);
  const { rows } = await client.query<{ name: string; privileges: string[] }>(
    `SELECT object.name,
            ARRAY(SELECT DISTINCT privilege_type FROM aclexplode(object.acl)
                   WHERE grantee = COALESCE((SELECT oid FROM pg_roles WHERE rolname = $1), 0)
                   ORDER BY 1) AS privileges
       FROM (${from}) AS object (name, acl)`,
    [requiredText(state, "role"), ...values],
  );
  const column = texts(state, "privileges")[0] ?? "";
  return new Map(
    rows
      .filter(({ name, privileges }) =>
        type === "column" ? privileges.includes(column) : objects.length === 0 || objects.includes(name),
      )
      .map(({ name, privileges }) => [name, privileges]),
  );
}

/** Where the access lists of a kind of object stand; `$2` onwards are the values. */
function accessLists(state: Bag): { from: string; values: string[] } {
  const type = requiredText(state, "objectType");
  const [object = ""] = texts(state, "objects");
  switch (type) {
    case "database":
      return {
        from: "SELECT datname::text, datacl FROM pg_database WHERE datname = $2",
        values: [requiredText(state, "database")],
      };
    case "schema":
      return {
        from: "SELECT nspname::text, nspacl FROM pg_namespace WHERE nspname = $2",
        values: [requiredText(state, "schema")],
      };
    case "foreign_data_wrapper":
      return {
        from: "SELECT fdwname::text, fdwacl FROM pg_foreign_data_wrapper WHERE fdwname = $2",
        values: [object],
      };
    case "foreign_server":
      return {
        from: "SELECT srvname::text, srvacl FROM pg_foreign_server WHERE srvname = $2",
        values: [object],
      };
    case "function":
    case "procedure":
    case "routine":
      return {
        from: `SELECT proname::text, proacl FROM pg_proc WHERE pronamespace = to_regnamespace(quote_ident($2))`,
        values: [requiredText(state, "schema")],
      };
    case "column":
      return {
        from: `SELECT attname::text, attacl FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
                WHERE relnamespace = to_regnamespace(quote_ident($2)) AND relname = $3`,
        values: [requiredText(state, "schema"), object],
      };
    default:
      return {
        from: `SELECT relname::text, relacl FROM pg_class
                WHERE relnamespace = to_regnamespace(quote_ident($2)) AND relkind = $3`,
        values: [requiredText(state, "schema"), type === "sequence" ? "S" : "r"],
      };
  }
}
