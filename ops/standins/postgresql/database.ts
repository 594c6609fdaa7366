import { escapeIdentifier, escapeLiteral } from "../../../infra/schema/postgres";
import { type Failure, type Kind, type Property, stateOf } from "../kind";
import { type Bag, flag, integer, requiredText, text } from "../values";
import {
  asMemberOf,
  currentName,
  databaseOwner,
  type PostgresServer,
  row,
  session,
  transaction,
} from "./server";

const fixed: Property = { replaces: true, computed: true };

/** `postgresql.Database`. */
export function databaseKind(server: PostgresServer): Kind {
  const kind: Kind = {
    inputs: {
      name: { autoNamed: true },
      allowConnections: { default: true },
      alterObjectOwnership: { default: false },
      connectionLimit: { default: -1 },
      encoding: fixed,
      isTemplate: { computed: true },
      lcCollate: fixed,
      lcCtype: fixed,
      owner: { computed: true },
      tablespaceName: { computed: true },
      template: fixed,
    },
    outputs: {},
    check: checkDatabase,

    async create(inputs) {
      const name = requiredText(inputs, "name");
      const owner = text(inputs, "owner") || server.roleName;
      await session(server, undefined, (client) =>
        // CREATE DATABASE cannot be in a transaction, so memberships are lent to the session.
        asMemberOf(client, [owner], () => client.query(createSql(inputs, owner))),
      );
      const state = { ...stateOf(kind, inputs), template: text(inputs, "template") || "template0" };
      return { id: name, state: { ...state, ...(await readDatabase(server, name)) } };
    },

    async read(id, state) {
      const name = currentName(id, state);
      const live = await readDatabase(server, name);
      return live === undefined
        ? undefined
        : { id: name, state: { template: "template0", ...state, ...live } };
    },

    async update(id, state, inputs) {
      const before = currentName(id, state);
      const name = requiredText(inputs, "name");
      const owner = text(inputs, "owner");
      const statements = alterations(before, state, inputs);
      if (owner !== undefined && owner !== text(state, "owner")) {
        if (flag(inputs, "alterObjectOwnership")) await reassignObjects(server, before, owner);
        await session(server, undefined, (client) =>
          asMemberOf(client, [owner], () =>
            client.query(`ALTER DATABASE ${escapeIdentifier(before)} OWNER TO ${escapeIdentifier(owner)}`),
          ),
        );
      }
      await session(server, undefined, async (client) => {
        for (const sql of statements) await client.query(sql);
      });
      return {
        template: state.template ?? null,
        ...stateOf(kind, inputs),
        ...(await readDatabase(server, name)),
      };
    },

    async delete(id, state) {
      const database = escapeIdentifier(currentName(id, state));
      await session(server, undefined, (client) =>
        asMemberOf(client, [text(state, "owner") ?? server.roleName], async () => {
          if (flag(state, "isTemplate")) await client.query(`ALTER DATABASE ${database} IS_TEMPLATE false`);
          await client.query(`ALTER DATABASE ${database} ALLOW_CONNECTIONS false`);
          await client.query(`DROP DATABASE ${database} WITH (FORCE)`);
        }),
      );
    },
  };
  return kind;
}

function checkDatabase(inputs: Bag): Failure[] {
  const limit = integer(inputs, "connectionLimit") ?? -1;
  return limit >= -1
    ? []
    : [{ property: "connectionLimit", reason: `it is ${limit} and must be at least -1` }];
}

function createSql(inputs: Bag, owner: string): string {
  const isDefault = (value: string): boolean => value.toUpperCase() === "DEFAULT";
  const name = (value: string): string => (isDefault(value) ? "DEFAULT" : escapeIdentifier(value));
  const literal = (value: string): string => (isDefault(value) ? "DEFAULT" : escapeLiteral(value));
  const [collate, ctype] = [text(inputs, "lcCollate"), text(inputs, "lcCtype")];
  const tablespace = text(inputs, "tablespaceName");
  return [
    `CREATE DATABASE ${escapeIdentifier(requiredText(inputs, "name"))} OWNER ${escapeIdentifier(owner)}`,
    `TEMPLATE ${name(text(inputs, "template") || "template0")}`,
    `ENCODING ${literal(text(inputs, "encoding") || "UTF8")}`,
    ...(collate ? [`LC_COLLATE ${literal(collate)}`] : []),
    ...(ctype ? [`LC_CTYPE ${literal(ctype)}`] : []),
    ...(tablespace ? [`TABLESPACE ${name(tablespace)}`] : []),
    `ALLOW_CONNECTIONS ${flag(inputs, "allowConnections")}`,
    `CONNECTION LIMIT ${integer(inputs, "connectionLimit") ?? -1}`,
    `IS_TEMPLATE ${flag(inputs, "isTemplate")}`,
  ].join(" ");
}

function alterations(before: string, state: Bag, inputs: Bag): string[] {
  const name = requiredText(inputs, "name");
  const alter = `ALTER DATABASE ${escapeIdentifier(name)}`;
  const statements =
    name === before ? [] : [`ALTER DATABASE ${escapeIdentifier(before)} RENAME TO ${escapeIdentifier(name)}`];
  const tablespace = text(inputs, "tablespaceName");
  if (tablespace !== undefined && tablespace !== text(state, "tablespaceName")) {
    statements.push(`${alter} SET TABLESPACE ${escapeIdentifier(tablespace)}`);
  }
  const limit = integer(inputs, "connectionLimit") ?? -1;
  if (limit !== integer(state, "connectionLimit")) statements.push(`${alter} CONNECTION LIMIT ${limit}`);
  for (const [property, keyword] of [
    ["allowConnections", "ALLOW_CONNECTIONS"],
    ["isTemplate", "IS_TEMPLATE"],
  ] as const) {
    if (inputs[property] === undefined || flag(inputs, property) === flag(state, property)) continue;
    statements.push(`${alter} ${keyword} ${flag(inputs, property)}`);
  }
  return statements;
}

async function reassignObjects(server: PostgresServer, database: string, owner: string): Promise<void> {
  await transaction(server, database, async (client) => {
    const current = await databaseOwner(client, database);
    if (current === owner) return;
    await asMemberOf(client, [current, owner], () =>
      client.query(`REASSIGN OWNED BY ${escapeIdentifier(current)} TO ${escapeIdentifier(owner)}`),
    );
  });
}

async function readDatabase(server: PostgresServer, name: string): Promise<Bag | undefined> {
  const found = await session(server, undefined, (client) =>
    row<{ [column: string]: string | number | boolean }>(
      client,
      `SELECT datname AS name, pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding,
              datcollate AS "lcCollate", datctype AS "lcCtype", spcname AS "tablespaceName",
              datconnlimit AS "connectionLimit", datallowconn AS "allowConnections",
              datistemplate AS "isTemplate"
         FROM pg_database JOIN pg_tablespace ON pg_tablespace.oid = dattablespace WHERE datname = $1`,
      [name],
    ),
  );
  return found === undefined ? undefined : { ...found };
}
