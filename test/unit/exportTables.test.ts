/** Which tables an export holds and in which order, and whether it fits the database that is to take it. */
import { describe, expect, it } from "vitest";
import { type Found, planImport } from "../../ops/export/importPlan";
import { createManifest, type Manifest } from "../../ops/export/manifest";
import { chooseTables, differingColumns, loadOrder, type Table } from "../../ops/export/tables";

const ts = { name: "ts", type: "timestamp with time zone" };

function table(name: string, references: string[] = [], time?: Table["time"]): Table {
  return {
    name,
    columns: [{ name: "id", type: "integer" }],
    references,
    ...(time === undefined ? {} : { time }),
  };
}

const names = (tables: readonly Table[]): string[] => tables.map(({ name }) => name);

const all = [
  table("a.energy", ["a.machines"], ts),
  table("a.hist", [], ts),
  table("a.machines", ["a.plants"]),
  table("a.plants"),
  table("ms5.migrations"),
];

describe("loadOrder", () => {
  it("puts tables behind those they refer to, and leaves the others as they are", () => {
    expect(names(loadOrder(all))).toEqual(["a.hist", "a.plants", "a.machines", "a.energy", "ms5.migrations"]);
  });

  it("takes no notice of tables that are not among them", () => {
    expect(names(loadOrder([table("a.x", ["b.elsewhere"])]))).toEqual(["a.x"]);
  });

  it("refuses a circle, naming its tables", () => {
    expect(() => loadOrder([table("a.x", ["a.y"]), table("a.y", ["a.x"]), table("a.z")])).toThrow(
      "their foreign keys form a circle: a.x, a.y",
    );
  });
});

describe("chooseTables", () => {
  it("takes all tables for full and data, and the ledger alone for schema", () => {
    expect(names(chooseTables(all, "full", undefined))).toHaveLength(all.length);
    expect(names(chooseTables(all, "data", undefined))).toHaveLength(all.length);
    expect(names(chooseTables(all, "schema", undefined))).toEqual(["ms5.migrations"]);
  });

  it("takes with a hypertable what it refers to, and what that refers to", () => {
    expect(names(chooseTables(all, "hypertable", "a.energy"))).toEqual([
      "a.plants",
      "a.machines",
      "a.energy",
      "ms5.migrations",
    ]);
    expect(names(chooseTables(all, "hypertable", "a.hist"))).toEqual(["a.hist", "ms5.migrations"]);
  });

  it.each([
    [undefined, /needs the hypertable's name/],
    ["a.none", /there is no table a\.none/],
    ["a.machines", /a\.machines is no hypertable/],
  ])("refuses %s as a hypertable, and names those there are", (name, message) => {
    const choose = () => chooseTables(all, "hypertable", name);
    expect(choose).toThrow(message);
    expect(choose).toThrow(
      expect.objectContaining({ fix: expect.stringContaining("--table: a.energy, a.hist") }),
    );
  });
});

describe("differingColumns", () => {
  it("names columns that are missing on a side or have another type, whatever their order", () => {
    const [a, b] = [
      { name: "a", type: "integer" },
      { name: "b", type: "text" },
    ];
    expect(differingColumns([a, b], [b, a])).toEqual([]);
    expect(differingColumns([a, b], [{ name: "b", type: "jsonb" }, ts])).toEqual([
      "a (integer and missing)",
      "b (text and jsonb)",
      "ts (missing and timestamp with time zone)",
    ]);
  });
});

describe("planImport", () => {
  const migrations = [{ file: "0001-a.sql", sha256: "1" }];
  const stored = ["ms5.migrations", "a.plants", "a.hist"].map((name) => ({
    table: name,
    columns: [{ name: "id", type: "integer" }],
    file: `${name}.csv.zst`,
    rows: 1,
    bytes: 1,
    sha256: "0",
  }));
  const schema = { file: "schema.sql", bytes: 1, sha256: "0" };

  function manifest(some: Partial<Manifest> = {}): Manifest {
    return createManifest({
      kind: "full",
      stack: "dev",
      server: { postgres: "17", timescaledb: "2.19", license: "apache" },
      snapshot: { at: "2026-01-01T00:00:00.000Z", lsn: "0/1" },
      schema,
      migrations,
      tables: stored,
      sequences: [],
      notExported: { continuousAggregates: [], views: [], why: "" },
      ...some,
    });
  }
  const { schema: _, ...onlyData } = manifest({ kind: "data" });
  const complete: Found = { tables: stored.map(({ table: name }) => table(name)), migrations };

  it("makes the schema where there is none, and loads the ledger with it", () => {
    expect(planImport(manifest(), { tables: [], migrations: [] })).toEqual({
      makesSchema: true,
      load: stored,
    });
    const unrelated: Found = { tables: [table("b.other")], migrations: [] };
    expect(planImport(manifest(), unrelated)).toMatchObject({ makesSchema: true });
  });

  it("leaves a schema that is the same, and its ledger, as it is", () => {
    for (const some of [manifest(), onlyData])
      expect(planImport(some, complete)).toEqual({ makesSchema: false, load: stored.slice(1) });
  });

  it("wants a schema from somewhere", () => {
    expect(() => planImport(onlyData, { tables: [], migrations: [] })).toThrow(/holds no schema/);
  });

  it("refuses a part of the schema, naming what is missing", () => {
    expect(() => planImport(manifest(), { ...complete, tables: complete.tables.slice(0, 2) })).toThrow(
      "a part of the schema only: a.hist is missing",
    );
  });

  it("refuses another schema: other migrations, edited ones, other columns", () => {
    expect(() => planImport(manifest(), { ...complete, migrations: [] })).toThrow(
      "at different migrations: the export has 0001-a.sql",
    );
    const newer = [
      { file: "0001-a.sql", sha256: "2" },
      { file: "0002-b.sql", sha256: "3" },
    ];
    expect(() => planImport(manifest(), { ...complete, migrations: newer })).toThrow(
      "the export has 0001-a.sql, the database has 0001-a.sql, 0002-b.sql",
    );
    const columns = [{ name: "id", type: "bigint" }];
    const tables = complete.tables.map((some) => (some.name === "a.hist" ? { ...some, columns } : some));
    expect(() => planImport(manifest(), { ...complete, tables })).toThrow(
      "a.hist has other columns than the export: id (integer and bigint)",
    );
  });
});
