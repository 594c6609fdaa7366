import { escapeIdentifier } from "../../../infra/schema/postgres";
import { type Kind, stateOf } from "../kind";
import { type Bag, flag, requiredText, text } from "../values";
import { asMemberOf, databaseOwner, exists, type PostgresServer, row, session, transaction } from "./server";

const schemaExists = "SELECT 1 FROM pg_namespace WHERE nspname = $1";

/** `postgresql.Schema`, without the deprecated `policies` (use `Grant`). */
export function schemaKind(server: PostgresServer): Kind {
  const databaseOf = (bag: Bag): string => text(bag, "database") || server.target.database;
  const kind: Kind = {
    inputs: {
      name: { autoNamed: true },
      database: { replaces: true, computed: true },
      dropCascade: { default: false },
      ifNotExists: { default: true },
      owner: { computed: true },
    },
    outputs: { policies: {} },

    async create(inputs) {
      const database = databaseOf(inputs);
      const name = requiredText(inputs, "name");
      const owner = text(inputs, "owner");
      const schema = escapeIdentifier(name);
      await transaction(server, database, async (client) => {
        const holders = [await databaseOwner(client, database), ...(owner ? [owner] : [])];
        await asMemberOf(client, holders, async () => {
          if (await exists(client, schemaExists, [name])) {
            if (owner) await client.query(`ALTER SCHEMA ${schema} OWNER TO ${escapeIdentifier(owner)}`);
          } else {
            const guard = flag(inputs, "ifNotExists") ? "IF NOT EXISTS " : "";
            const authorization = owner ? ` AUTHORIZATION ${escapeIdentifier(owner)}` : "";
            await client.query(`CREATE SCHEMA ${guard}${schema}${authorization}`);
          }
        });
      });
      return {
        id: `${database}.${name}`,
        state: { ...stateOf(kind, inputs), ...(await readSchema(server, database, name)) },
      };
    },

    async read(id, state) {
      const [importedDatabase = "", importedName = ""] = id.split(".");
      const database = text(state, "database") ?? importedDatabase;
      const name = text(state, "name") ?? importedName;
      const live = await readSchema(server, database, name);
      return live === undefined ? undefined : { id: `${database}.${name}`, state: { ...state, ...live } };
    },

    async update(_id, state, inputs) {
      const database = databaseOf(state);
      const [before, name] = [requiredText(state, "name"), requiredText(inputs, "name")];
      const owner = text(inputs, "owner");
      await transaction(server, database, (client) =>
        asMemberOf(client, [text(state, "owner") ?? "", owner ?? ""].filter(Boolean), async () => {
          if (before !== name) {
            await client.query(
              `ALTER SCHEMA ${escapeIdentifier(before)} RENAME TO ${escapeIdentifier(name)}`,
            );
          }
          if (owner && owner !== text(state, "owner")) {
            await client.query(`ALTER SCHEMA ${escapeIdentifier(name)} OWNER TO ${escapeIdentifier(owner)}`);
          }
        }),
      );
      return { ...stateOf(kind, inputs), ...(await readSchema(server, database, name)) };
    },

    async delete(_id, state) {
      const name = requiredText(state, "name");
      await transaction(server, databaseOf(state), async (client) => {
        if (!(await exists(client, schemaExists, [name]))) return;
        await asMemberOf(client, [text(state, "owner") ?? ""].filter(Boolean), () =>
          client.query(
            `DROP SCHEMA ${escapeIdentifier(name)} ${flag(state, "dropCascade") ? "CASCADE" : "RESTRICT"}`,
          ),
        );
      });
    },
  };
  return kind;
}

async function readSchema(server: PostgresServer, database: string, name: string): Promise<Bag | undefined> {
  const hasDatabase = await session(server, undefined, (client) =>
    exists(client, "SELECT 1 FROM pg_database WHERE datname = $1", [database]),
  );
  if (!hasDatabase) return undefined;
  const found = await session(server, database, (client) =>
    row<{ owner: string }>(
      client,
      "SELECT pg_get_userbyid(nspowner) AS owner FROM pg_namespace WHERE nspname = $1",
      [name],
    ),
  );
  return found === undefined ? undefined : { name, database, owner: found.owner, policies: [] };
}
