import { UserError } from "../../errors";
import { type Client, escapeIdentifier, withTransaction } from "../postgres";
import { loginRoles, ownerRole } from "../roleNames";
import type { Common, Handler } from "./handler";

/**
 * The role that owns the schema, and what it may do.
 *
 * Not a `postgresql.Role`, which cannot outlive its stack: deleting one hands over or drops all it owns, the telemetry
 * among it, and creating one that is there already fails. This one stays with what it owns, and the next stack takes
 * both over.
 */
export interface OwnerInputs extends Common {
  role: string;
  /**
   * TimescaleDB runs policy jobs as their owner and wants it to have LOGIN. It has no password, and SCRAM lets no one
   * in who has none.
   */
  login: boolean;
  /** In the stack's database. */
  privileges: string[];
  /** Who may act as the owner: PostgreSQL 16 and later give the creator of a role the right to grant it, not to be it. */
  actedAsBy: string;
}

async function exists(client: Client, role: string): Promise<boolean> {
  const { rowCount } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [role]);
  return rowCount === 1;
}

export const owner: Handler<OwnerInputs> = {
  replaceOn: ["role"],
  deleteBeforeReplace: true,
  id: ({ role }) => role,

  /** A cluster that began from its backups has login roles whose passwords went with the old state: they are made anew. */
  async beforeCreate({ client, config }) {
    if (config.cluster?.recover === undefined) return;
    await withTransaction(client, async () => {
      for (const name of Object.values(loginRoles)) {
        if (!(await exists(client, name))) continue;
        const role = escapeIdentifier(name);
        // What they own is nothing; what they may do is granted again. The admin made them, and so may become them.
        await client.query(`GRANT ${role} TO CURRENT_USER`);
        await client.query(`DROP OWNED BY ${role}`);
        await client.query(`DROP ROLE ${role}`);
      }
    });
  },

  async apply(session, inputs) {
    const { client } = session;
    const role = escapeIdentifier(inputs.role);
    await withTransaction(client, async () => {
      if (!(await exists(client, inputs.role))) await client.query(`CREATE ROLE ${role}`);
      const live = await owner.live(session, inputs);
      if (live?.login !== inputs.login)
        await client.query(`ALTER ROLE ${role} ${inputs.login ? "LOGIN" : "NOLOGIN"}`);
      if (live?.actedAsBy !== inputs.actedAsBy)
        await client.query(`GRANT ${role} TO ${escapeIdentifier(inputs.actedAsBy)}`);
      const missing = inputs.privileges.filter((privilege) => !live?.privileges.includes(privilege));
      const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name");
      const database = escapeIdentifier(rows[0]?.name ?? "");
      for (const privilege of missing)
        await client.query(`GRANT ${privilege} ON DATABASE ${database} TO ${role}`);
      const granted = missing.length === 0 ? live : await owner.live(session, inputs);
      // PostgreSQL only warns when one grants what one may not.
      const refused = missing.filter((privilege) => !granted?.privileges.includes(privilege));
      if (refused.length > 0) {
        throw new UserError(
          `${inputs.actedAsBy} may not give ${refused.join(" and ")} on database ${database} to ${inputs.role}`,
          {
            fix: `as a superuser or the database's owner: GRANT ${refused.join(", ")} ON DATABASE ${database} TO ${escapeIdentifier(inputs.actedAsBy)} WITH GRANT OPTION`,
          },
        );
      }
    });
  },

  async live({ client }, inputs) {
    if (!(await exists(client, inputs.role))) return undefined;
    const { rows } = await client.query<{ login: boolean; privileges: string[]; acts: boolean }>(
      `SELECT rolcanlogin AS login,
              ARRAY(SELECT p FROM unnest($2::text[]) AS p
                     WHERE has_database_privilege(rolname, current_database(), p)) AS privileges,
              EXISTS (SELECT FROM pg_roles WHERE rolname = $3) AND pg_has_role($3, oid, 'SET') AS acts
         FROM pg_roles WHERE rolname = $1`,
      [inputs.role, inputs.privileges, inputs.actedAsBy],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const { login, privileges, acts } = row;
    return { ...inputs, login, privileges, actedAsBy: acts ? inputs.actedAsBy : "nobody" };
  },

  /** Stays: even where `destroy` may delete the telemetry, the record of migrations is left, and it owns that. */
  async remove() {},
};

/** What the stack's owner is, for an admin of this name. */
export function statedOwner(admin: string): Omit<OwnerInputs, "engineVersion"> {
  return { role: ownerRole, login: true, privileges: ["CONNECT", "CREATE"], actedAsBy: admin };
}
