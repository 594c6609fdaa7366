import { loadConfig, type StackConfig } from "../../infra/config";
import { engineVersion } from "../../infra/schema/handlers/handler";
import { owner, statedOwner } from "../../infra/schema/handlers/owner";
import type { ConnectionTarget } from "../../infra/schema/postgres";
import { withClient } from "../../infra/schema/postgres";

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

/** What a stack has before its schema resources. */
export async function createOwner(target: ConnectionTarget): Promise<void> {
  await withClient(target, (client) =>
    owner.apply({ client, config: configFor(target) }, { ...statedOwner(target.user), engineVersion }),
  );
}
