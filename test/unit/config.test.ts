import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../infra/config";
import { configLeaves } from "../../infra/config/leaves";
import { UserError } from "../../infra/errors";
import { aggregateNames, aggregates, tableNames } from "../../infra/schema/catalogue";
import { rawConfig } from "../../ops/stackConfig";
import { azureNeeds, publicAzureNeeds } from "../support/azureConfig";

/** With what every stack in Azure has to be told. */
function raw(config: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ azure: azureNeeds, ...config }).map(([key, value]) => [
      `ms5-timescale:${key}`,
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]),
  );
}

function refusal(stack: string, config: Record<string, unknown>, env: Record<string, string> = {}): string {
  try {
    loadConfig(stack, raw(config), env);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error("was accepted");
}

describe("defaults", () => {
  it.each(["local", "cluster"])("%s needs no setting at all", (environment) => {
    expect(loadConfig(environment, {}).environment).toBe(environment);
  });

  it.each(["dev", "staging", "prod"])("%s needs what nobody else can know", (environment) => {
    const azure = environment === "dev" ? publicAzureNeeds : azureNeeds;
    expect(loadConfig(environment, raw({ azure })).environment).toBe(environment);
    expect(refusal(environment, { azure: {} }).match(/azure\.\w+/g)).toEqual([
      "azure.organisation",
      "azure.organisation",
      "azure.owner",
      "azure.owner",
      "azure.subscription",
      "azure.subscription",
      "azure.tenant",
      "azure.tenant",
    ]);
  });

  it("are document 004's in production: columns after 7 and 30 days, kept 90 days and a year", () => {
    const { tables } = loadConfig("prod", raw({}));
    expect(tables.metric_hist).toMatchObject({
      columnstoreAfter: { text: "7 days" },
      retention: { text: "90 days" },
    });
    expect(tables.oee_calculations).toMatchObject({
      columnstoreAfter: { text: "30 days" },
      retention: { text: "365 days" },
    });
  });

  it("a stack named otherwise says whose defaults hold", () => {
    expect(loadConfig("plant-7", raw({ environment: "prod" })).tables).toEqual(
      loadConfig("prod", raw({})).tables,
    );
    expect(refusal("plant-7", {})).toContain("the stack is not named after an environment");
  });
});

describe("the nine settings of a hypertable", () => {
  it("are nine", () => {
    expect(
      configLeaves.filter((leaf) => leaf.path[0] === "timescaledb" && leaf.path.length === 2),
    ).toHaveLength(9);
  });

  it("the nearest wins: table over all tables over environment", () => {
    const { tables } = loadConfig(
      "prod",
      raw({ timescaledb: { retention: "2 years", tables: { metric_hist: { retention: "keep" } } } }),
    );
    expect(tables.metric_hist.retention).toBeUndefined();
    expect(tables.energy_consumption.retention?.text).toBe("730 days");
    expect(tables.energy_consumption.columnstoreAfter.text).toBe("30 days");
  });

  it("each can be set for one table", () => {
    const settings = {
      chunkInterval: "2 days",
      columnstore: false,
      columnstoreAfter: "3 days",
      columnstoreSchedule: "1 hour",
      segmentBy: ["machine_id", "shift_id"],
      orderBy: "ts",
      retention: "4 years",
      retentionSchedule: "2 hours",
      reorderIndex: "production_kpis_pkey",
    };
    const { tables } = loadConfig("prod", raw({ timescaledb: { tables: { production_kpis: settings } } }));
    expect(tables.production_kpis).toMatchObject({
      ...settings,
      chunkInterval: { text: "2 days" },
      columnstoreAfter: { text: "3 days" },
      columnstoreSchedule: { text: "1 hour" },
      retention: { text: "1460 days" },
      retentionSchedule: { text: "2 hours" },
    });
  });
});

it("an order is stated as the database reads it back, ascending without saying so", () => {
  const { tables } = loadConfig("prod", raw({ timescaledb: { orderBy: "ts ASC, machine_id DESC" } }));
  expect(tables.metric_hist.orderBy).toBe("ts, machine_id DESC");
});

describe("environment variables", () => {
  it("beat the file, key by key", () => {
    const config = loadConfig(
      "prod",
      raw({ platform: "none", timescaledb: { retention: "2 years" }, database: { host: "db", name: "a" } }),
      {
        MS5_TIMESCALEDB_RETENTION: "3 years",
        MS5_TIMESCALEDB_TABLES_METRIC_HIST_SEGMENT_BY: "metric_id, machine_id",
        MS5_DATABASE_PORT: "6432",
        MS5_DESTROY_DROP_TELEMETRY: "true",
      },
    );
    expect(config.tables.energy_consumption.retention?.text).toBe("1095 days");
    expect(config.tables.metric_hist.segmentBy).toEqual(["metric_id", "machine_id"]);
    expect(config.database.target).toMatchObject({ host: "db", port: 6432, database: "a" });
    expect(config.destroy.dropTelemetry).toBe(true);
  });

  it("one of no section is refused too, but not those that say where this machine keeps things", () => {
    expect(() => loadConfig("prod", raw({}), { MS5_TABLES_METRIC_HIST_RETENTION: "1 year" })).toThrow(
      "MS5_TABLES_METRIC_HIST_RETENTION stands for no key",
    );
    loadConfig("prod", raw({}), { MS5_LOCAL_DIR: "/tmp", MS5_CACHE_DIR: "/tmp" });
  });

  it("a misspelt one is refused, and others are left alone", () => {
    expect(() => loadConfig("prod", raw({}), { MS5_DATABASE_PROT: "1" })).toThrow(
      "MS5_DATABASE_PROT stands for no key",
    );
    expect(() => loadConfig("prod", raw({}), { MS5_LOCAL_DIR: "/tmp", HOME: "/" })).not.toThrow();
  });

  it("have one name a key", () => {
    const names = configLeaves.map((leaf) => leaf.environmentVariable);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("refusals name the key, what was found, what is allowed and how to set it", () => {
  it("wrong unit", () => {
    expect(refusal("prod", { timescaledb: { retention: "90 dayz" } })).toMatchInlineSnapshot(`
      "the configuration of stack "prod" is refused:
        ms5-timescale:timescaledb.retention is "90 dayz"; allowed: "keep", or a whole number and a unit: seconds, minutes, hours, days, weeks, months (30 days) or years (365 days)
            pulumi config set --stack prod --path 'ms5-timescale:timescaledb.retention' '90 days'"
    `);
  });

  it("wrong type", () => {
    expect(
      refusal("dev", { timescaledb: { tables: { metric_hist: { columnstore: "yes" } } } }),
    ).toMatchInlineSnapshot(`
      "the configuration of stack "dev" is refused:
        ms5-timescale:timescaledb.tables.metric_hist.columnstore is "yes"; allowed: boolean
            pulumi config set --stack dev --path 'ms5-timescale:timescaledb.tables.metric_hist.columnstore' 'true'"
    `);
  });

  it("unknown key, with the keys there are", () => {
    expect(refusal("prod", { migrations: { lockTimout: "1 minute" } })).toMatchInlineSnapshot(`
      "the configuration of stack "prod" is refused:
        ms5-timescale:migrations.lockTimout no such key; under migrations there are: lockTimeout, statementTimeout
            pulumi config rm --stack prod --path 'ms5-timescale:migrations.lockTimout'"
    `);
  });

  it("from an environment variable", () => {
    expect(refusal("prod", {}, { MS5_DATABASE_PORT: "pg" })).toMatchInlineSnapshot(`
      "the configuration of stack "prod" is refused:
        ms5-timescale:database.port (from MS5_DATABASE_PORT) is "pg"; allowed: TCP port
            set MS5_DATABASE_PORT='5432', or unset it"
    `);
  });

  it("a secret's value is not repeated", () => {
    expect(refusal("prod", { database: { password: { text: "hunter2" } } })).not.toContain("hunter2");
  });

  it("several at once", () => {
    expect(
      refusal("prod", { platform: "gcp", timescaledb: { orderBy: "ts; DROP" } }).match(/pulumi config set/g),
    ).toHaveLength(2);
  });
});

describe("combinations that would lose history", () => {
  it("retention shorter than the columnstore delay", () => {
    expect(
      refusal("prod", { timescaledb: { tables: { oee_calculations: { retention: "20 days" } } } }),
    ).toContain("must be longer than columnstoreAfter (30 days)");
  });

  it("a refresh that looks past the retention of its source", () => {
    expect(
      refusal("prod", {
        timescaledb: {
          aggregates: { oee_hourly_aggregate: { startOffset: "400 days", columnstoreAfter: "never" } },
        },
      }),
    ).toMatchInlineSnapshot(`
      "the configuration of stack "prod" is refused:
        ms5-timescale:timescaledb.aggregates.oee_hourly_aggregate.startOffset is "400 days"; must not be longer than the retention of oee_calculations (365 days): a refresh over rows that retention has deleted would erase the aggregate's history of them
            pulumi config set --stack prod --path 'ms5-timescale:timescaledb.aggregates.oee_hourly_aggregate.startOffset' '365 days'"
    `);
  });

  it.each([
    ["endOffset", { endOffset: "30 minutes" }, "must be at least one bucket (1 hour)"],
    ["startOffset", { startOffset: "2 hours" }, "two buckets"],
    [
      "startOffset over another",
      { startOffset: "3 days" },
      "longer than the startOffset of metric_minute_aggregate (3 days)",
    ],
    ["schedule", { schedule: "95 hours" }, "must be at least one bucket (1 hour) shorter than the window"],
    ["columnstoreAfter", { columnstoreAfter: "2 days" }, "must not be shorter than startOffset"],
    ["retention", { retention: "3 days" }, "must be longer than startOffset"],
  ])("aggregate %s", (_key, settings, problem) => {
    expect(refusal("prod", { timescaledb: { aggregates: { metric_hourly_aggregate: settings } } })).toContain(
      problem,
    );
  });

  it("no accepted configuration lets a refresh reach past its source's retention", () => {
    const days = (min: number, max: number) => fc.integer({ min, max }).map((count) => `${count} days`);
    const aggregate = fc.record({
      startOffset: days(1, 90),
      schedule: days(1, 3),
      retention: fc.oneof(days(1, 400), fc.constant("keep")),
      columnstoreAfter: fc.constant("never"),
    });
    const table = fc.record({ retention: days(1, 400), columnstoreAfter: days(1, 60) });
    const settings = fc.record({
      tables: fc.record({ metric_hist: table }),
      aggregates: fc.record({
        metric_minute_aggregate: aggregate,
        metric_hourly_aggregate: aggregate,
        metric_daily_aggregate: aggregate,
      }),
    });
    let accepted = 0;
    fc.assert(
      fc.property(settings, (timescaledb) => {
        let config: ReturnType<typeof loadConfig>;
        try {
          config = loadConfig("prod", raw({ timescaledb }));
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          return;
        }
        accepted += 1;
        for (const name of aggregateNames) {
          const source = aggregates[name].source;
          const kept =
            { ...config.tables, ...config.aggregates }[source].retention?.seconds ?? Number.POSITIVE_INFINITY;
          expect(config.aggregates[name].startOffset.seconds).toBeLessThanOrEqual(kept);
        }
        for (const name of tableNames) {
          const { retention: kept, columnstoreAfter: after } = config.tables[name];
          expect(kept?.seconds ?? Number.POSITIVE_INFINITY).toBeGreaterThan(after.seconds);
        }
      }),
      // One in twenty or so is accepted.
      { numRuns: 500 },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  it.each([
    ["tables", "metric_hist", { columnstoreAfter: "100 days" }],
    ["tables", "production_kpis", { retention: "12 hours", columnstore: false }],
    ["aggregates", "metric_daily_aggregate", { endOffset: "10 days" }],
    ["aggregates", "oee_hourly_aggregate", { retention: "3 days" }],
    ["aggregates", "metric_minute_aggregate", { schedule: "4 days" }],
    ["aggregates", "oee_hourly_aggregate", { schedule: "8 days" }],
    ["aggregates", "metric_hourly_aggregate", { schedule: "30 hours" }],
  ])("what the refusal of %s.%s %j says to set is accepted", (group, name, settings) => {
    const message = refusal("prod", { timescaledb: { [group]: { [name]: settings } } });
    const remedies = [...message.matchAll(/--path 'ms5-timescale:timescaledb\.\w+\.(\w+)\.(\w+)' '(.+)'/g)];
    expect(remedies).toHaveLength(1);
    const mended = Object.fromEntries(remedies.map(([, , setting, value]) => [setting, value]));
    const config = { timescaledb: { [group]: { [name]: { ...settings, ...mended } } } };
    expect(() => loadConfig("prod", raw(config))).not.toThrow();
  });

  it("a server beyond loopback without a verified certificate", () => {
    expect(refusal("prod", { platform: "none", database: { host: "10.1.2.3", tls: "require" } })).toContain(
      "must be verify-full",
    );
    expect(
      refusal("prod", { platform: "none", database: { host: "127.example.com", tls: "disable" } }),
    ).toContain("must be verify-full");
    expect(() =>
      loadConfig("prod", raw({ platform: "none", database: { host: "127.0.0.1", tls: "disable" } })),
    ).not.toThrow();
  });
});

describe("stack files", () => {
  it("are read as Pulumi hands them to a program", () => {
    const text = "config:\n  ms5-timescale:platform: none\n  ms5-timescale:database:\n    port: 5433\n";
    expect(rawConfig(text, "x.yaml")).toEqual({
      "ms5-timescale:platform": "none",
      "ms5-timescale:database": '{"port":5433}',
    });
  });

  it("with an encrypted value are left to the engine, and broken ones refused", () => {
    expect(
      rawConfig("config:\n  ms5-timescale:database:\n    password:\n      secure: v1:abc\n", "x.yaml"),
    ).toBeUndefined();
    expect(() => rawConfig("config: [", "x.yaml")).toThrow("x.yaml is not YAML");
  });
});
