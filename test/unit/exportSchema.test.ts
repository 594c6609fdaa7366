/** The order and the additions that make a schema dump one that restores. */
import { expect, it } from "vitest";
import { composeSchema } from "../../ops/export/schemaSql";

it("makes things before what needs them, and passes over roles that are not there", () => {
  const sql = composeSchema({
    extensions: ["CREATE EXTENSION timescaledb;"],
    owners: ["ms5_owner"],
    schemas: [{ key: "n/1", name: "a", lines: ["CREATE SCHEMA a AUTHORIZATION ms5_owner;"] }],
    types: [{ key: "t/1", schema: "a", lines: ["CREATE TYPE a.colour AS ENUM ('red');"] }],
    functions: [{ key: "p/1", schema: "a", lines: ["CREATE OR REPLACE FUNCTION a.f() …;"] }],
    relations: [
      { key: "c/1", schema: "a", name: "a.ticket", lines: ["CREATE SEQUENCE a.ticket;"] },
      { key: "c/2", schema: "a", name: "a.hist", lines: ["CREATE TABLE a.hist (…);"] },
      { key: "c/3", schema: "a", name: "a.latest", lines: ["CREATE VIEW a.latest AS …;"] },
    ],
    hypertables: new Map([["a.hist", ["SELECT public.create_hypertable('a.hist', …);"]]]),
    rest: ["ALTER TABLE a.hist ENABLE ALWAYS TRIGGER t;"],
    grants: new Map([
      ["n/1", ["GRANT USAGE ON SCHEMA a TO reader;"]],
      ["c/2", ["GRANT SELECT ON TABLE a.hist TO reader;"]],
    ]),
    defaultPrivileges: ["ALTER DEFAULT PRIVILEGES FOR ROLE ms5_owner GRANT SELECT ON TABLES TO reader;"],
  });
  expect(sql).toMatchInlineSnapshot(`
    "-- A logical export's schema. Roles that log in, policies and continuous aggregates are made by the stack's next up.
    SELECT pg_catalog.set_config('search_path', '', false);
    -- Functions come before the tables they speak of.
    SET check_function_bodies = off;

    CREATE EXTENSION IF NOT EXISTS timescaledb;

    DO $ms5$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'ms5_owner') THEN CREATE ROLE "ms5_owner" NOLOGIN; END IF;
      IF NOT pg_catalog.pg_has_role('ms5_owner', 'SET') THEN GRANT "ms5_owner" TO CURRENT_USER; END IF;
    END $ms5$;

    CREATE SCHEMA IF NOT EXISTS a AUTHORIZATION ms5_owner;
    DO $ms5$ BEGIN GRANT USAGE ON SCHEMA a TO reader; EXCEPTION WHEN undefined_object THEN RAISE NOTICE '%', SQLERRM; END $ms5$;

    CREATE TYPE a.colour AS ENUM ('red');

    CREATE OR REPLACE FUNCTION a.f() …;

    CREATE SEQUENCE a.ticket;

    CREATE TABLE a.hist (…);
    SELECT public.create_hypertable('a.hist', …);
    DO $ms5$ BEGIN GRANT SELECT ON TABLE a.hist TO reader; EXCEPTION WHEN undefined_object THEN RAISE NOTICE '%', SQLERRM; END $ms5$;

    CREATE VIEW a.latest AS …;

    ALTER TABLE a.hist ENABLE ALWAYS TRIGGER t;

    DO $ms5$ BEGIN ALTER DEFAULT PRIVILEGES FOR ROLE ms5_owner GRANT SELECT ON TABLES TO reader; EXCEPTION WHEN undefined_object THEN RAISE NOTICE '%', SQLERRM; END $ms5$;
    "
  `);
});
