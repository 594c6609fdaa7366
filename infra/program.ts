// infra/program.ts - wiring only: what a stack consists of.
import * as pulumi from "@pulumi/pulumi";
import { loadConfig, type StackConfig } from "./config";
import { UserError } from "./errors";
import { Schema } from "./schema";
import { migrationFiles } from "./schema/handlers/migrations";
import { loginRoles } from "./schema/roleNames";

/** The whole program, for a plain `pulumi up` (infra/index.ts) and for the Automation API (ops/engine) alike. */
export async function program(): Promise<Record<string, unknown>> {
  const config = loadConfig(
    pulumi.getStack(),
    pulumi.runtime.allConfig() as Record<string, string>,
    process.env,
  );
  requireDatabase(config);
  const schema = new Schema("schema", { config, files: await migrationFiles() });
  return outputs(config, schema);
}

/** A preview may plan for a database that has no address yet; an `up` may not start without one. */
function requireDatabase(config: StackConfig): void {
  if (config.database.target !== undefined || pulumi.runtime.isDryRun()) return;
  throw new UserError(
    `stack "${config.stack}" has no database to go to: database.host is not set, and this version provisions none on platform "${config.platform}"`,
    {
      fix: `pulumi config set --stack ${config.stack} --path 'ms5-timescale:database.host' HOST, naming a server that exists`,
    },
  );
}

function outputs(config: StackConfig, schema: Schema): Record<string, unknown> {
  const { target } = config.database;
  return {
    environment: config.environment,
    database:
      target === undefined ? undefined : { host: target.host, port: target.port, name: target.database },
    roles: Object.values(loginRoles),
    passwords: schema.roles.passwords,
  };
}
