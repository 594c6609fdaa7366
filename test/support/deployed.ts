import { loadConfig, type StackConfig } from "../../infra/config";
import type { ConnectionTarget } from "../../infra/schema/postgres";
import { withClient } from "../../infra/schema/postgres";
import { ownerRole } from "../../infra/schema/roleNames";

/** Pulumi's raw config of a stack on a test's own database, as programs and dynamic providers get it. */
export function rawConfigFor(
  target: ConnectionTarget,
  config: Record<string, unknown> = {},
): Record<string, string> {
  const { database, ...rest } = config as { database?: object };
  const sections = { ...rest, database: { port: target.port, ...database } };
  return Object.fromEntries(
    Object.entries(sections).map(([key, value]) => [`ms5-timescale:${key}`, JSON.stringify(value)]),
  );
}

/** Config of stack `local` on a test's own database. */
export function configFor(target: ConnectionTarget, config: Record<string, unknown> = {}): StackConfig {
  return loadConfig("local", rawConfigFor(target, config));
}

/** What the roles resources make before a schema handler runs. */
export async function createOwner(target: ConnectionTarget): Promise<void> {
  await withClient(target, async (client) => {
    await client.query(`CREATE ROLE ${ownerRole} LOGIN`);
    await client.query(`GRANT CREATE ON DATABASE ${target.database} TO ${ownerRole}`);
  });
}
