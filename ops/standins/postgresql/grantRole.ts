import { escapeIdentifier } from "../../../infra/schema/postgres";
import { type Kind, type Property, stateOf } from "../kind";
import { type Bag, flag, requiredText } from "../values";
import { type PostgresServer, row, session, transaction } from "./server";

const required: Property = { required: true, replaces: true };

/** `postgresql.GrantRole`: one role's membership in another. Nothing of it can be updated. */
export function grantRoleKind(server: PostgresServer): Kind {
  const kind: Kind = {
    inputs: { grantRole: required, role: required, withAdminOption: { replaces: true, default: false } },
    outputs: {},

    async create(inputs) {
      const option = flag(inputs, "withAdminOption") ? " WITH ADMIN OPTION" : "";
      await transaction(server, undefined, async (client) => {
        await client.query(revokeSql(inputs));
        await client.query(`GRANT ${roles(inputs).join(" TO ")}${option}`);
      });
      return { id: idOf(inputs), state: stateOf(kind, inputs) };
    },

    async read(_id, state) {
      if (Object.keys(state).length === 0) throw new Error("a GrantRole cannot be imported");
      const found = await session(server, undefined, (client) =>
        row<{ admin_option: boolean }>(
          client,
          `SELECT bool_or(admin_option) AS admin_option FROM pg_auth_members
            WHERE pg_get_userbyid(member) = $1 AND pg_get_userbyid(roleid) = $2 HAVING count(*) > 0`,
          [requiredText(state, "role"), requiredText(state, "grantRole")],
        ),
      );
      if (found === undefined) return undefined;
      const live = { ...state, withAdminOption: found.admin_option };
      return { id: idOf(live), state: live };
    },

    update: async (_id, _state, inputs) => stateOf(kind, inputs),

    async delete(_id, state) {
      await transaction(server, undefined, (client) => client.query(revokeSql(state)));
    },
  };
  return kind;
}

/** The granted role, then who gets it. */
function roles(bag: Bag): [string, string] {
  return [escapeIdentifier(requiredText(bag, "grantRole")), escapeIdentifier(requiredText(bag, "role"))];
}

function revokeSql(bag: Bag): string {
  return `REVOKE ${roles(bag).join(" FROM ")}`;
}

function idOf(bag: Bag): string {
  return [requiredText(bag, "role"), requiredText(bag, "grantRole"), flag(bag, "withAdminOption")].join("_");
}
