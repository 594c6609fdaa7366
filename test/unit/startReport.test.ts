import { describe, expect, it } from "vitest";
import { type ReportInput, startReport } from "../../ops/start/report";

const input: ReportInput = {
  result: {
    engine: { pulumi: "3.256.0", standIns: ["random", "postgresql"] },
    database: { postgres: "17.5", timescaledb: "2.23.0-dev", license: "timescale" },
    resources: { created: 49, updated: 0, replaced: 0, deleted: 0, unchanged: 0 },
    migrations: { applied: 9, pending: 0 },
    telemetry: { files: 0, rows: 339_840, rejected: 0, duplicates: 0, rowsPerSecond: 52_629 },
    compression: { beforeBytes: 14_680_064, afterBytes: 729_088 },
    aggregates: { metricHourlyRows: 56_640, oeeHourlyRows: 3_575 },
    validation: { checks: 20, failed: 0 },
    page: "http://127.0.0.1:54321/",
    seconds: 28.2,
  },
  highlights: {
    oee: [
      { machine: "L1-case-packer", oee: 0.77, availability: 0.83, performance: 0.93, quality: 1 },
      { machine: "L1-filler", oee: null, availability: null, performance: null, quality: null },
    ],
    machines: [
      {
        machine: "L1-case-packer",
        metrics: 12,
        samples: 69_120,
        first: new Date("2026-10-12T00:00:00Z"),
        last: new Date("2026-11-20T23:50:00Z"),
      },
    ],
  },
  findings: [],
  connection: "psql postgres://postgres@127.0.0.1:54320/template1",
  once: false,
};

describe("the report of npm start", () => {
  it("reads as a whole", () => {
    expect(startReport(input)).toMatchInlineSnapshot(`
      "
      A TimescaleDB with telemetry, from nothing, in 28 s
      ───────────────────────────────────────────────────
        Engine      Pulumi 3.256.0 (stand-ins for random, postgresql)
        Database    PostgreSQL 17.5, TimescaleDB 2.23.0-dev Community, embedded
        Stack local 49 created
        Migrations  9 applied, 0 pending
        Telemetry   339,840 new samples of a generated packaging line at 52,629/s
        Columnstore 14.7 MB of rows became 729.1 kB of columns (5.0 %)
        Aggregates  56,640 hours of metrics, 3,575 hours of OEE
        Validation  20 checks, 0 failed

      OEE, last seven days
      ────────────────────
        machine                                 OEE   availability  performance  quality
        L1-case-packer  ███████████████░░░░░    77 %          83 %         93 %    100 %
        L1-filler       ░░░░░░░░░░░░░░░░░░░░       -             -            -        -

      Telemetry
      ─────────
        machine         metrics      samples   from        to
        L1-case-packer       12       69,120   2026-10-12  2026-11-20

        Status page http://127.0.0.1:54321/
        Connect     psql postgres://postgres@127.0.0.1:54320/template1   (one client at a time)
        Next        npm run preview -- prod, npm run ingest -- FILE.csv, npm run ops -- validate
        Stop        Ctrl-C; the data stays in .local/
      "
    `);
  });

  it("says what was there already, what was rejected and what failed", () => {
    const text = startReport({
      ...input,
      once: true,
      result: {
        ...input.result,
        resources: { created: 0, updated: 1, replaced: 0, deleted: 0, unchanged: 48 },
        telemetry: { files: 2, rows: 0, rejected: 3, duplicates: 12, rowsPerSecond: 0 },
        compression: { beforeBytes: 0, afterBytes: 0 },
        validation: { checks: 20, failed: 1 },
        page: null,
      },
      highlights: { oee: [], machines: [] },
      findings: [
        { check: "no sample from the future", severity: "ERROR", passed: false, detail: "2 samples" },
        { check: "migrations applied and unedited", severity: "CRITICAL", passed: true },
      ],
    });
    expect(text).toMatchInlineSnapshot(`
      "
      A TimescaleDB with telemetry, as you left it, in 28 s
      ─────────────────────────────────────────────────────
        Engine      Pulumi 3.256.0 (stand-ins for random, postgresql)
        Database    PostgreSQL 17.5, TimescaleDB 2.23.0-dev Community, embedded
        Stack local 1 updated, 48 unchanged
        Migrations  9 applied, 0 pending
        Telemetry   0 new samples of 2 files, 12 there already, 3 records rejected
        Columnstore no chunk is old enough yet
        Aggregates  56,640 hours of metrics, 3,575 hours of OEE
        Validation  20 checks, 1 failed
        ERROR       no sample from the future: 2 samples

        Next        npm run preview -- prod, npm run ingest -- FILE.csv, npm run ops -- validate
      "
    `);
  });
});
