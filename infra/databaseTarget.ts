import type { StackConfig } from "./config";
import { UserError } from "./errors";
import type { ConnectionTarget } from "./schema/postgres";

/** Where a stack's database is. @throws UserError when its config names none, as a new stack's doesn't yet. */
export function requireTarget({ stack, platform, database }: StackConfig): ConnectionTarget {
  if (database.target !== undefined) return database.target;
  throw new UserError(
    `stack "${stack}" has no database to go to: database.host is not set, and this version provisions none on platform "${platform}"`,
    {
      fix: `pulumi config set --stack ${stack} --path 'ms5-timescale:database.host' HOST, naming a server that exists`,
    },
  );
}
