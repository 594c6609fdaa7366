// infra/program.ts - wiring only: what a stack consists of.
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type AzurePlatform, provisionAzure } from "./azure";
import { reportAzure } from "./azure/report";
import { loadConfig, type StackConfig } from "./config";
import { otherStacks, refuseSharedNames } from "./config/otherStacks";
import { type Database, provisionDatabase } from "./database";
import { openWay, requireTarget } from "./databaseTarget";
import { provisionKubernetes } from "./kubernetes/provider";
import { provisionMonitoring } from "./monitoring";
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
  if (config.azure !== undefined) refuseSharedNames(config, otherStacks(join(__dirname, "..")));
  // A preview may plan for a database that has no address yet.
  if (!pulumi.runtime.isDryRun()) await openWay(requireTarget(config));
  const monthlyCost = reportAzure(config, new Date());
  const platform = provisionAzure(config);
  const kubernetes = provisionKubernetes(config, platform);
  const database = provisionDatabase(config, kubernetes, platform?.vault.backupKey);
  if (platform !== undefined && database !== undefined) {
    platform.vault.keep("database-admin-password", database.adminPassword);
  }
  const schema = new Schema("schema", {
    config,
    files: await migrationFiles(),
    adminPassword: database?.adminPassword,
    after: database?.ready ?? [],
  });
  provisionMonitoring(config, kubernetes, database, schema);
  return { ...outputs(config, schema, database, platform), ...(monthlyCost && { monthlyCost }) };
}

function outputs(
  config: StackConfig,
  schema: Schema,
  database: Database | undefined,
  platform: AzurePlatform | undefined,
): Record<string, unknown> {
  const { target } = config.database;
  return {
    environment: config.environment,
    ...(target && { database: { host: target.host, port: target.port, name: target.database } }),
    ...(platform && {
      registry: platform.registry.loginServer,
      backups: platform.backups.accountName,
    }),
    ...(platform?.monitoring?.grafanaUrl && { grafana: platform.monitoring.grafanaUrl }),
    ...(database && { pooler: database.pooler.endpoint, ca: database.caPem }),
    // Kept apart from the cluster by whoever runs one: with the storage's key it is all that a lost cluster needs.
    ...(database?.backupKey && { backupKey: database.backupKey }),
    roles: Object.values(loginRoles),
    passwords: schema.roles.passwords,
  };
}
