// infra/program.ts - wiring only: what a stack consists of.
import * as pulumi from "@pulumi/pulumi";
import { loadConfig, type StackConfig } from "./config";
import { type Database, provisionDatabase } from "./database";
import { openWay, requireTarget } from "./databaseTarget";
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
  // A preview may plan for a database that has no address yet.
  if (!pulumi.runtime.isDryRun()) await openWay(requireTarget(config));
  const database = provisionDatabase(config);
  const schema = new Schema("schema", {
    config,
    files: await migrationFiles(),
    adminPassword: database?.adminPassword,
    after: database?.ready ?? [],
  });
  return outputs(config, schema, database);
}

function outputs(config: StackConfig, schema: Schema, database?: Database): Record<string, unknown> {
  const { target } = config.database;
  return {
    environment: config.environment,
    ...(target && { database: { host: target.host, port: target.port, name: target.database } }),
    ...(database && { pooler: database.pooler.endpoint, ca: database.caPem }),
    roles: Object.values(loginRoles),
    passwords: schema.roles.passwords,
  };
}
