/** The golden schema of sql/migrations, reviewed in pull requests, and what a dump shows of TimescaleDB. */
import { join } from "node:path";
import type { Client } from "pg";
import { beforeAll, describe, expect, it } from "vitest";
import { migrationsFolder } from "../../infra/schema/handlers/migrations";
import { dumpSchema } from "../../infra/schema/migrations/dump";
import { readMigrations } from "../../infra/schema/migrations/files";
import { undo, up, verify } from "../../infra/schema/migrations/runner";
import { withClient } from "../../infra/schema/postgres";
import { ownerRole } from "../../infra/schema/roleNames";
import { projectRoot } from "../../ops/paths";
import { createOwner } from "../support/deployed";
import { embedded } from "../support/embedded";
import { runOptions } from "../support/migrationFiles";

const database = embedded();

beforeAll(() => createOwner(database.target));

function inDatabase<T>(work: (client: Client) => Promise<T>): Promise<T> {
  return withClient(database.target, work);
}

/** As the stack does. */
function asOwner<T>(work: (client: Client) => Promise<T>): Promise<T> {
  return inDatabase(async (client) => {
    await client.query(`SET ROLE ${ownerRole}`);
    return work(client);
  });
}

const header = `-- What sql/migrations makes, to review in a pull request; policies and aggregates come from the stack's resources.
-- Made by: npx vitest run --project integration test/sql/dump.test.ts -u
`;

describe("sql/migrations", () => {
  it("makes sql/schema.sql; up, undo all and up again makes the same", async () => {
    const migrations = await readMigrations(migrationsFolder);
    const empty = await inDatabase((client) => dumpSchema(client));
    await asOwner((client) => up(client, migrations, runOptions()));
    const first = await inDatabase((client) => dumpSchema(client));
    await expect(`${header}\n${first}`).toMatchFileSnapshot(join(projectRoot, "sql/schema.sql"));

    const undone = await asOwner((client) => undo(client, migrations, "all", runOptions()));
    expect(undone).toHaveLength(migrations.length);
    expect(await inDatabase((client) => dumpSchema(client))).toBe(empty);

    await asOwner((client) => up(client, migrations, runOptions()));
    expect(await inDatabase((client) => dumpSchema(client))).toBe(first);
    expect((await asOwner((client) => verify(client, migrations))).problems).toEqual([]);
    await asOwner((client) => undo(client, migrations, "all", runOptions()));
  });
});

describe("dumpSchema", () => {
  /** Makes the same objects with other ids, chunks and job numbers each time. */
  async function makeLine(): Promise<void> {
    const statements = [
      "SELECT delete_job(job_id) FROM timescaledb_information.jobs WHERE proc_name = 'tidy'",
      "DROP MATERIALIZED VIEW IF EXISTS line.daily",
      "DROP SCHEMA IF EXISTS line CASCADE",
      "CREATE SCHEMA line",
      "COMMENT ON SCHEMA line IS 'one line''s data'",
      "CREATE TYPE line.state AS ENUM ('running', 'idle')",
      "CREATE DOMAIN line.share AS real NOT NULL CHECK (value BETWEEN 0 AND 1)",
      `CREATE TABLE line.machine (
         id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         name text COLLATE "C" NOT NULL UNIQUE DEFAULT 'new' CHECK (name <> ''),
         state line.state,
         label text GENERATED ALWAYS AS ('machine ' || name) STORED)`,
      "COMMENT ON COLUMN line.machine.name IS 'as on its plate'",
      `CREATE FUNCTION line.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$`,
      "REVOKE EXECUTE ON FUNCTION line.refuse FROM PUBLIC",
      "CREATE TRIGGER no_delete BEFORE DELETE ON line.machine FOR EACH STATEMENT EXECUTE FUNCTION line.refuse()",
      "ALTER TABLE line.machine ENABLE ROW LEVEL SECURITY",
      "CREATE POLICY own ON line.machine FOR SELECT TO dump_reader USING (state = 'running')",
      `CREATE TABLE line.sample (time timestamptz NOT NULL, machine smallint NOT NULL REFERENCES line.machine, value real)
         WITH (tsdb.hypertable, tsdb.partition_column = 'time', tsdb.chunk_interval = '3 days',
               tsdb.segmentby = 'machine', tsdb.orderby = 'time DESC')`,
      "CREATE INDEX sample_machine ON line.sample (machine, time DESC) INCLUDE (value)",
      "INSERT INTO line.machine (name) VALUES ('a')",
      "INSERT INTO line.sample SELECT '2026-01-01'::timestamptz + day * interval '1 day', 1, day FROM generate_series(1, 20) day",
      `CREATE MATERIALIZED VIEW line.hourly WITH (timescaledb.continuous) AS
         SELECT time_bucket('1 hour', time) AS bucket, machine, avg(value) AS value FROM line.sample GROUP BY 1, 2 WITH NO DATA`,
      `CREATE MATERIALIZED VIEW line.daily WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
         SELECT time_bucket('1 day', bucket) AS bucket, avg(value) AS value FROM line.hourly GROUP BY 1 WITH NO DATA`,
      "ALTER MATERIALIZED VIEW line.hourly SET (timescaledb.enable_columnstore)",
      "SELECT add_continuous_aggregate_policy('line.hourly', interval '3 days', interval '1 hour', interval '1 hour')",
      "CALL add_columnstore_policy('line.hourly', after => interval '30 days')",
      "SELECT add_retention_policy('line.sample', interval '90 days')",
      "CREATE VIEW line.latest AS SELECT DISTINCT ON (machine) * FROM line.sample ORDER BY machine, time DESC",
      "CREATE PROCEDURE line.tidy(job_id integer, config jsonb) LANGUAGE plpgsql AS $$ BEGIN END $$",
      `SELECT add_job('line.tidy', '2 hours', config => '{"keep": 3, "also": ["a"]}', scheduled => false)`,
      "GRANT USAGE ON SCHEMA line TO dump_reader",
      "GRANT SELECT ON line.daily, line.sample TO dump_reader",
      "GRANT UPDATE (name) ON line.machine TO dump_reader WITH GRANT OPTION",
      "ALTER DEFAULT PRIVILEGES IN SCHEMA line GRANT SELECT ON TABLES TO dump_reader",
    ];
    await inDatabase(async (client) => {
      for (const statement of statements) await client.query(statement);
    });
  }

  it("shows everything that matters, and the same when it was made another time", async () => {
    await inDatabase((client) => client.query("CREATE ROLE dump_reader"));
    await makeLine();
    const dump = await inDatabase((client) => dumpSchema(client));
    expect(dump).toMatchInlineSnapshot(`
      "CREATE EXTENSION timescaledb;

      -- -------------------- line
      CREATE SCHEMA line AUTHORIZATION postgres;
      COMMENT ON SCHEMA line IS 'one line''s data';
      GRANT USAGE ON SCHEMA line TO dump_reader;

      CREATE DOMAIN line.share AS real NOT NULL CONSTRAINT share_check CHECK (((VALUE >= (0)::double precision) AND (VALUE <= (1)::double precision)));
      ALTER TYPE line.share OWNER TO postgres;

      CREATE TYPE line.state AS ENUM ('running', 'idle');
      ALTER TYPE line.state OWNER TO postgres;

      CREATE OR REPLACE FUNCTION line.refuse()
       RETURNS trigger
       LANGUAGE plpgsql
      AS $function$ BEGIN RAISE 'no'; END $function$;
      ALTER FUNCTION line.refuse() OWNER TO postgres;
      REVOKE EXECUTE ON ROUTINE line.refuse() FROM PUBLIC;

      CREATE OR REPLACE PROCEDURE line.tidy(IN job_id integer, IN config jsonb)
       LANGUAGE plpgsql
      AS $procedure$ BEGIN END $procedure$;
      ALTER PROCEDURE line.tidy(IN job_id integer, IN config jsonb) OWNER TO postgres;

      CREATE TABLE line.machine (
        id smallint NOT NULL GENERATED ALWAYS AS IDENTITY,
        name text COLLATE "C" NOT NULL DEFAULT 'new'::text,
        state line.state,
        label text GENERATED ALWAYS AS (('machine '::text || name)) STORED,
        CONSTRAINT machine_pkey PRIMARY KEY (id),
        CONSTRAINT machine_name_key UNIQUE (name),
        CONSTRAINT machine_name_check CHECK ((name <> ''::text))
      );
      COMMENT ON COLUMN line.machine.name IS 'as on its plate';
      CREATE TRIGGER no_delete BEFORE DELETE ON line.machine FOR EACH STATEMENT EXECUTE FUNCTION line.refuse();
      CREATE POLICY own ON line.machine AS PERMISSIVE FOR SELECT TO dump_reader USING ((state = 'running'::line.state));
      ALTER TABLE line.machine ENABLE ROW LEVEL SECURITY;
      ALTER TABLE line.machine OWNER TO postgres;
      GRANT UPDATE (name) ON TABLE line.machine TO dump_reader WITH GRANT OPTION;

      CREATE TABLE line.sample (
        "time" timestamp with time zone NOT NULL,
        machine smallint NOT NULL,
        value real,
        CONSTRAINT sample_machine_fkey FOREIGN KEY (machine) REFERENCES line.machine(id)
      );
      -- hypertable: "time" in chunks of 3 days
      -- columnstore: segment by machine; order by "time" DESC
      -- job: policy_compression every 1 day as postgres, compress_after = 3 days
      -- job: policy_retention every 1 day as postgres, drop_after = 90 days
      CREATE INDEX sample_machine ON line.sample USING btree (machine, "time" DESC) INCLUDE (value);
      CREATE INDEX sample_time_idx ON line.sample USING btree ("time" DESC);
      ALTER TABLE line.sample OWNER TO postgres;
      GRANT SELECT ON TABLE line.sample TO dump_reader;

      CREATE MATERIALIZED VIEW line.daily WITH (timescaledb.continuous, materialized_only = false) AS
       SELECT public.time_bucket('1 day'::interval, bucket) AS bucket,
          avg(value) AS value
         FROM line.hourly
        GROUP BY (public.time_bucket('1 day'::interval, bucket));
      -- hypertable: bucket in chunks of 30 days
      CREATE INDEX daily_bucket_idx ON line.daily USING btree (bucket DESC);
      ALTER VIEW line.daily OWNER TO postgres;
      GRANT SELECT ON TABLE line.daily TO dump_reader;

      CREATE MATERIALIZED VIEW line.hourly WITH (timescaledb.continuous, materialized_only = true) AS
       SELECT public.time_bucket('01:00:00'::interval, "time") AS bucket,
          machine,
          avg(value) AS value
         FROM line.sample
        GROUP BY (public.time_bucket('01:00:00'::interval, "time")), machine;
      -- hypertable: bucket in chunks of 30 days
      -- columnstore: segment by machine; order by bucket
      -- job: policy_compression every 12:00:00 as postgres, compress_after = 30 days
      -- job: policy_refresh_continuous_aggregate every 01:00:00 as postgres, end_offset = 01:00:00, start_offset = 3 days
      CREATE INDEX hourly_bucket_idx ON line.hourly USING btree (bucket DESC);
      CREATE INDEX hourly_machine_bucket_idx ON line.hourly USING btree (machine, bucket DESC);
      ALTER VIEW line.hourly OWNER TO postgres;

      CREATE VIEW line.latest AS
       SELECT DISTINCT ON (machine) "time",
          machine,
          value
         FROM line.sample
        ORDER BY machine, "time" DESC;
      ALTER VIEW line.latest OWNER TO postgres;

      ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA line GRANT SELECT ON TABLES TO dump_reader;

      -- job: line.tidy every 02:00:00 (paused) as postgres, also = ["a"], keep = 3
      "
    `);
    await makeLine();
    expect(await inDatabase((client) => dumpSchema(client))).toBe(dump);
  });

  it("shows only the schemas that are asked for, and leaves the session's settings alone", async () => {
    await inDatabase(async (client) => {
      await client.query("CREATE SCHEMA other; SET search_path = other");
      expect(await dumpSchema(client, ["other"])).not.toContain("line.");
      expect((await client.query("SHOW search_path")).rows).toEqual([{ search_path: "other" }]);
    });
  });

  it.each([
    ["a column", "ALTER TABLE line.machine ADD extra int", "extra integer"],
    [
      "an interval",
      "SELECT set_chunk_time_interval('line.sample', interval '2 days')",
      "in chunks of 2 days",
    ],
    ["a grant", "REVOKE SELECT ON line.sample FROM dump_reader", undefined],
    ["a policy", "SELECT remove_retention_policy('line.sample')", undefined],
    ["an owner", `ALTER FUNCTION line.refuse() OWNER TO dump_reader`, "line.refuse() OWNER TO dump_reader"],
  ])("changes with %s", async (_, statement, expected) => {
    const before = await inDatabase((client) => dumpSchema(client));
    await inDatabase((client) => client.query(statement));
    const after = await inDatabase((client) => dumpSchema(client));
    expect(after).not.toBe(before);
    if (expected !== undefined) expect(after).toContain(expected);
  });
});
