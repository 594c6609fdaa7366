// infra/schema/index.ts - the database's inside: roles, migrations, hypertables, policies, aggregates, in the order
// they need each other.
import * as pulumi from "@pulumi/pulumi";
import type { StackConfig } from "../config";
import { aggregates } from "./catalogue";
import { Grants } from "./grants";
import { type AggregatePlan, planSchema, type TablePlan } from "./plan";
import {
  ColumnstorePolicy,
  ContinuousAggregate,
  Hypertable,
  Migrations,
  RefreshPolicy,
  ReorderPolicy,
  RetentionPolicy,
  Server,
} from "./resources";
import { Roles } from "./roles";

export interface SchemaArgs {
  config: StackConfig;
  /** Migration files and their checksums: `migrationFiles()`. */
  files: Record<string, string>;
  /** Where the program made the database: of the user that `config.database.target` names. */
  adminPassword?: pulumi.Output<string> | undefined;
  /** What has to be there before anyone can log in. */
  after?: pulumi.Resource[];
}

export class Schema extends pulumi.ComponentResource {
  readonly roles: Roles;

  constructor(
    name: string,
    { config, files, adminPassword, after = [] }: SchemaArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("ms5:schema:Schema", name, {}, opts);
    const { edition, target } = config.database;
    if (edition === "apache") this.warnAboutApache();
    const plan = planSchema(config);

    // Everything waits for the server: a wrong edition stops the run before anything is made.
    const server = new Server("server", { edition }, { parent: this, dependsOn: after });
    this.roles = new Roles(
      "roles",
      { target, adminPassword, passwordVersion: config.roles.passwordVersion },
      { parent: this, dependsOn: [server] },
    );
    const migrations = new Migrations("migrations", { files }, { parent: this, dependsOn: this.roles.ready });
    const grants = new Grants(
      "grants",
      { database: target?.database ?? "postgres", provider: this.roles.provider },
      { parent: this, dependsOn: [migrations] },
    );
    const made = new Map<string, pulumi.Resource>();
    for (const [table, tablePlan] of plan.tables) made.set(table, this.table(table, tablePlan, migrations));
    for (const [aggregate, aggregatePlan] of plan.aggregates) {
      const source = made.get(aggregates[aggregate].source) ?? migrations;
      made.set(aggregate, this.aggregate(aggregate, aggregatePlan, [grants, source]));
    }
    this.registerOutputs({});
  }

  private warnAboutApache(): void {
    void pulumi.log.warn(
      "database.edition is apache: columnstore, retention, reorder and refresh policies and continuous aggregates " +
        "exist in TimescaleDB Community only and are left out. Telemetry grows until it is deleted by hand",
      this,
    );
  }

  private table(name: string, plan: TablePlan, migrations: pulumi.Resource): Hypertable {
    const hypertable = new Hypertable(name, plan.hypertable, { parent: this, dependsOn: [migrations] });
    const child = { parent: hypertable };
    if (plan.columnstorePolicy) new ColumnstorePolicy(`${name}-columnstore`, plan.columnstorePolicy, child);
    if (plan.retentionPolicy) new RetentionPolicy(`${name}-retention`, plan.retentionPolicy, child);
    if (plan.reorderPolicy) new ReorderPolicy(`${name}-reorder`, plan.reorderPolicy, child);
    return hypertable;
  }

  private aggregate(name: string, plan: AggregatePlan, dependsOn: pulumi.Resource[]): ContinuousAggregate {
    const view = new ContinuousAggregate(name, plan.view, { parent: this, dependsOn });
    const refresh = new RefreshPolicy(`${name}-refresh`, plan.refreshPolicy, { parent: view });
    // TimescaleDB wants the refresh policy first, to check that the two don't overlap.
    const later = { parent: view, dependsOn: [refresh] };
    if (plan.columnstorePolicy) new ColumnstorePolicy(`${name}-columnstore`, plan.columnstorePolicy, later);
    if (plan.retentionPolicy)
      new RetentionPolicy(`${name}-retention`, plan.retentionPolicy, { parent: view });
    return view;
  }
}
