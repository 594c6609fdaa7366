import { escapeIdentifier } from "../../../infra/schema/postgres";
import { type Kind, stateOf } from "../kind";
import { type Bag, flag, requiredText, text } from "../values";
import { exists, type PostgresServer, row, session, transaction } from "./server";

/** `postgresql.Extension`. */
export function extensionKind(server: PostgresServer): Kind {
  const databaseOf = (bag: Bag): string => text(bag, "database") || server.target.database;
  const kind: Kind = {
    inputs: {
      name: { autoNamed: true, replaces: true },
      createCascade: { default: false },
      database: { replaces: true, computed: true },
      dropCascade: { default: false },
      schema: { computed: true },
      version: { computed: true },
    },
    outputs: {},

    async create(inputs) {
      const database = databaseOf(inputs);
      const name = requiredText(inputs, "name");
      const [schema, version] = [text(inputs, "schema"), text(inputs, "version")];
      const sql = [
        `CREATE EXTENSION IF NOT EXISTS ${escapeIdentifier(name)}`,
        ...(schema ? [`SCHEMA ${escapeIdentifier(schema)}`] : []),
        ...(version ? [`VERSION ${escapeIdentifier(version)}`] : []),
        ...(flag(inputs, "createCascade") ? ["CASCADE"] : []),
      ].join(" ");
      await transaction(server, database, (client) => client.query(sql));
      return {
        id: `${database}.${name}`,
        state: { ...stateOf(kind, inputs), ...(await readExtension(server, database, name)) },
      };
    },

    async read(id, state) {
      const [importedDatabase = "", importedName = ""] = id.split(".");
      const database = text(state, "database") ?? importedDatabase;
      const name = text(state, "name") ?? importedName;
      const live = await readExtension(server, database, name);
      return live === undefined ? undefined : { id: `${database}.${name}`, state: { ...state, ...live } };
    },

    async update(_id, state, inputs) {
      const database = databaseOf(state);
      const name = requiredText(inputs, "name");
      const [schema, version] = [text(inputs, "schema"), text(inputs, "version")];
      const extension = `ALTER EXTENSION ${escapeIdentifier(name)}`;
      await transaction(server, database, async (client) => {
        if (schema && schema !== text(state, "schema")) {
          await client.query(`${extension} SET SCHEMA ${escapeIdentifier(schema)}`);
        }
        if (version && version !== text(state, "version")) {
          await client.query(`${extension} UPDATE TO ${escapeIdentifier(version)}`);
        }
      });
      return { ...stateOf(kind, inputs), ...(await readExtension(server, database, name)) };
    },

    async delete(_id, state) {
      const mode = flag(state, "dropCascade") ? "CASCADE" : "RESTRICT";
      await transaction(server, databaseOf(state), (client) =>
        client.query(`DROP EXTENSION ${escapeIdentifier(requiredText(state, "name"))} ${mode}`),
      );
    },
  };
  return kind;
}

async function readExtension(
  server: PostgresServer,
  database: string,
  name: string,
): Promise<Bag | undefined> {
  const hasDatabase = await session(server, undefined, (client) =>
    exists(client, "SELECT 1 FROM pg_database WHERE datname = $1", [database]),
  );
  if (!hasDatabase) return undefined;
  const found = await session(server, database, (client) =>
    row<{ schema: string; version: string }>(
      client,
      `SELECT nspname AS schema, extversion AS version
         FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = $1`,
      [name],
    ),
  );
  return found === undefined ? undefined : { name, database, ...found };
}
