// infra/schema/grants.ts - what the login roles may do with the objects the migrations made.
import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { monitoringSchema, referenceTables, tableNames, telemetrySchema } from "./catalogue";
import { loginRoles, ownerRole } from "./roleNames";

export interface GrantsArgs {
  database: string;
  provider: postgresql.Provider;
}

export class Grants extends pulumi.ComponentResource {
  constructor(name: string, args: GrantsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:schema:Grants", name, {}, opts);
    const { database, provider } = args;
    const schema = telemetrySchema;

    const grant = (
      label: string,
      role: string,
      objectType: string,
      privileges: string[],
      objects?: readonly string[],
      of: string = schema,
    ) =>
      new postgresql.Grant(
        label,
        {
          database,
          schema: of,
          role,
          objectType,
          privileges,
          ...(objects === undefined ? {} : { objects: [...objects] }),
        },
        { parent: this, provider },
      );

    grant("writer-uses-schema", loginRoles.writer, "schema", ["USAGE"]);
    grant("reader-uses-schema", loginRoles.reader, "schema", ["USAGE"]);
    // SELECT beside INSERT: ON CONFLICT DO NOTHING has to look at the key. No UPDATE, no DELETE: telemetry that was
    // measured is not changed by who measures.
    grant("writer-adds-telemetry", loginRoles.writer, "table", ["INSERT", "SELECT"], tableNames);
    grant(
      "writer-keeps-reference-data",
      loginRoles.writer,
      "table",
      ["INSERT", "SELECT", "UPDATE"],
      [...referenceTables, "ingest_files"],
    );
    // TimescaleDB's views look up names of the schema's objects as whoever asks. It opens no table.
    grant("monitor-names-schema", loginRoles.monitor, "schema", ["USAGE"]);
    grant("monitor-uses-schema", loginRoles.monitor, "schema", ["USAGE"], undefined, monitoringSchema);
    grant("monitor-sees-heartbeat", loginRoles.monitor, "table", ["SELECT"], ["heartbeat"], monitoringSchema);
    grant(
      "monitor-asks",
      loginRoles.monitor,
      "function",
      ["EXECUTE"],
      ["beat", "recent_count", "newest_rows", "aggregates"],
      monitoringSchema,
    );
    // What the owner makes later, aggregates among it, can be read without another grant.
    const later = new postgresql.DefaultPrivileges(
      "reader-reads-what-comes",
      {
        database,
        schema,
        role: loginRoles.reader,
        owner: ownerRole,
        objectType: "table",
        privileges: ["SELECT"],
      },
      { parent: this, provider },
    );
    grant(
      "reader-reads-tables",
      loginRoles.reader,
      "table",
      ["SELECT"],
      [...tableNames, ...referenceTables, "ingest_files"],
    );
    this.registerOutputs({ later });
  }
}
