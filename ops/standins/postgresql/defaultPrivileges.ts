import { escapeIdentifier } from "../../../infra/schema/postgres";
import { type Failure, type Kind, type Property, stateOf } from "../kind";
import { type Bag, flag, requiredText, text, texts } from "../values";
import { grantable } from "./grant";
import { checkPrivileges, samePrivileges } from "./privileges";
import { asMemberOf, majorVersion, type PostgresServer, row, session, transaction } from "./server";

const required: Property = { required: true, replaces: true };

/** As `pg_default_acl.defaclobjtype` has them. */
const catalogueTypes: Record<string, string> = {
  function: "f",
  routine: "f",
  schema: "n",
  sequence: "S",
  table: "r",
  type: "T",
};

/** `postgresql.DefaultPrivileges`: what a role may do with objects that an owner creates from now on. */
export function defaultPrivilegesKind(server: PostgresServer): Kind {
  const kind: Kind = {
    inputs: {
      database: required,
      objectType: { ...required, oneOf: Object.keys(catalogueTypes) },
      owner: required,
      privileges: { required: true, unordered: true },
      role: required,
      schema: { replaces: true },
      withGrantOption: { replaces: true, default: false },
    },
    outputs: {},
    check: checkDefaults,

    async create(inputs) {
      await apply(server, inputs);
      return { id: idOf(inputs), state: stateOf(kind, inputs) };
    },

    async read(id, state) {
      if (Object.keys(state).length === 0) throw new Error("DefaultPrivileges cannot be imported");
      if (!(await grantable(server, state))) return undefined;
      const wanted = texts(state, "privileges");
      const { granted, version } = await readDefaults(server, state);
      if (granted.length === 0 && wanted.length > 0) return undefined;
      return samePrivileges(requiredText(state, "objectType"), granted, wanted, version)
        ? { id, state }
        : { id, state: { ...state, privileges: granted } };
    },

    async update(_id, _state, inputs) {
      await apply(server, inputs);
      return stateOf(kind, inputs);
    },

    async delete(_id, state) {
      await transaction(server, requiredText(state, "database"), (client) =>
        asMemberOf(client, [requiredText(state, "owner")], () => client.query(revokeSql(state))),
      );
    },
  };
  return kind;
}

function checkDefaults(inputs: Bag): Failure[] {
  const failures: Failure[] = [];
  if (requiredText(inputs, "objectType") === "schema" && text(inputs, "schema")) {
    failures.push({ property: "schema", reason: "there must be none for objectType schema" });
  }
  if (flag(inputs, "withGrantOption") && requiredText(inputs, "role").toLowerCase() === "public") {
    failures.push({ property: "withGrantOption", reason: "it cannot be true for role public" });
  }
  return failures;
}

async function apply(server: PostgresServer, inputs: Bag): Promise<void> {
  await transaction(server, requiredText(inputs, "database"), async (client) => {
    const privileges = texts(inputs, "privileges");
    checkPrivileges(requiredText(inputs, "objectType"), privileges, await majorVersion(client));
    await asMemberOf(client, [requiredText(inputs, "owner")], async () => {
      await client.query(revokeSql(inputs));
      if (privileges.length > 0) await client.query(grantSql(inputs));
    });
  });
}

function grantSql(bag: Bag): string {
  const option = flag(bag, "withGrantOption") ? " WITH GRANT OPTION" : "";
  const privileges = texts(bag, "privileges").join(", ");
  return `${scope(bag)} GRANT ${privileges} ON ${objects(bag)} TO ${grantee(bag)}${option}`;
}

function revokeSql(bag: Bag): string {
  return `${scope(bag)} REVOKE ALL ON ${objects(bag)} FROM ${grantee(bag)}`;
}

function scope(bag: Bag): string {
  const schema = text(bag, "schema");
  const owner = escapeIdentifier(requiredText(bag, "owner"));
  return `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner}${schema ? ` IN SCHEMA ${escapeIdentifier(schema)}` : ""}`;
}

function objects(bag: Bag): string {
  return `${requiredText(bag, "objectType").toUpperCase()}S`;
}

function grantee(bag: Bag): string {
  const role = requiredText(bag, "role");
  return role === "public" ? "PUBLIC" : escapeIdentifier(role);
}

async function readDefaults(
  server: PostgresServer,
  state: Bag,
): Promise<{ granted: string[]; version: number }> {
  return session(server, requiredText(state, "database"), async (client) => {
    const found = await row<{ granted: string[] }>(
      client,
      `SELECT ARRAY(
         SELECT DISTINCT privilege_type FROM pg_default_acl, aclexplode(defaclacl)
          WHERE defaclobjtype = $1 AND pg_get_userbyid(defaclrole) = $2
            AND grantee = COALESCE((SELECT oid FROM pg_roles WHERE rolname = $3), 0)
            AND defaclnamespace = COALESCE((SELECT oid FROM pg_namespace WHERE nspname = $4), 0)
          ORDER BY 1) AS granted`,
      [
        catalogueTypes[requiredText(state, "objectType")],
        requiredText(state, "owner"),
        requiredText(state, "role"),
        text(state, "schema") ?? "",
      ],
    );
    return { granted: found?.granted ?? [], version: await majorVersion(client) };
  });
}

function idOf(bag: Bag): string {
  return [
    requiredText(bag, "role"),
    requiredText(bag, "database"),
    text(bag, "schema") || "noschema",
    requiredText(bag, "owner"),
    requiredText(bag, "objectType"),
  ].join("_");
}
