import { UserError } from "../infra/errors";
import { type Client, type ConnectionTarget, escapeIdentifier, withClient } from "../infra/schema/postgres";
import { ownerRole } from "../infra/schema/roleNames";

/**
 * Runs `work` with a connection that acts as the owner of the schema, as `up` does. A database that was never deployed to
 * has no owner yet: there it is the login's own.
 *
 * @throws UserError when the server cannot be reached, or the login may not act as the owner; what `work` throws otherwise
 */
export function asOwner<T>(
  target: ConnectionTarget,
  work: (client: Client) => Promise<T>,
  applicationName?: string,
): Promise<T> {
  return withClient(
    target,
    async (client) => {
      await becomeOwner(client);
      return work(client);
    },
    applicationName,
  );
}

async function becomeOwner(client: Client): Promise<void> {
  const { rows } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [ownerRole]);
  if (rows.length === 0) return;
  try {
    await client.query(`SET ROLE ${escapeIdentifier(ownerRole)}`);
  } catch (error) {
    throw new UserError(
      `this login may not act as ${ownerRole}, who owns the schema: ${(error as Error).message}`,
      {
        fix: "log in as the migrator (stack config database.user and database.password)",
        cause: error,
      },
    );
  }
}
