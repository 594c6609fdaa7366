/** What an export says of itself: read back as it was written, and refused where it is not whole. */
import { describe, expect, it } from "vitest";
import { createManifest, type Manifest, parseManifest, storedFiles } from "../../ops/export/manifest";

const sha256 = "0".repeat(64);
const manifest: Manifest = createManifest({
  kind: "hypertable",
  stack: "prod",
  server: { postgres: "17.5", timescaledb: "2.29.1", license: "timescale" },
  snapshot: { at: "2026-01-01T00:00:00.000Z", lsn: "0/16B3748" },
  range: { table: "a.hist", from: "2026-01-01T00:00:00.000000Z" },
  schema: { file: "schema.sql", bytes: 10, sha256 },
  migrations: [{ file: "0001-a.sql", sha256 }],
  tables: [
    {
      table: "a.hist",
      file: "a.hist.csv.zst",
      columns: [{ name: "ts", type: "date" }],
      rows: 3,
      bytes: 5,
      sha256,
    },
  ],
  sequences: [
    { of: { table: "a.machines", column: "id" }, lastValue: "9223372036854775807", isCalled: true },
    { of: { sequence: "a.ticket" }, lastValue: "-1", isCalled: false },
  ],
  notExported: { continuousAggregates: ["a.hourly"], views: [], why: "derived" },
});

const parsed = (change: object): Manifest => parseManifest(JSON.stringify({ ...manifest, ...change }), "m");

describe("a manifest", () => {
  it("is read as it was written", () => {
    expect(parsed({})).toEqual(manifest);
    expect(storedFiles(manifest).map(({ file }) => file)).toEqual(["schema.sql", "a.hist.csv.zst"]);
  });

  it("is refused when it is cut off or incomplete, saying where", () => {
    expect(() => parseManifest(JSON.stringify(manifest).slice(0, -5), "x/m")).toThrow(/^x\/m is damaged/);
    expect(() => parsed({ tables: [{}] })).toThrow(/m is damaged: .*tables\[0\]/s);
    expect(() => parseManifest("null", "m")).toThrow(/m is damaged/);
  });

  it("is refused when a newer program has written it, by its format", () => {
    expect(() => parsed({ format: 2 })).toThrow("m has format 2, and this program reads format 1");
  });

  it.each(["../schema.sql", "/etc/x.sql", "a\\b.csv.zst", "passwd"])("does not lead to %s", (file) => {
    expect(() => parsed({ schema: { file, bytes: 1, sha256 } })).toThrow(/damaged: .*schema\.file/s);
  });
});
