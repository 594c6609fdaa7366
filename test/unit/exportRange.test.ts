/** Ranges of time as people write them, and the SQL they become. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRange, whereInRange } from "../../ops/export/range";
import type { Table } from "../../ops/export/tables";

const hist: Table = {
  name: "a.hist",
  columns: [],
  references: [],
  time: { name: "ts", type: "timestamp with time zone" },
};

describe("parseRange", () => {
  it("reads both ends in any zone, to the microsecond", () => {
    expect(parseRange("2026-03-01T00:30:00+01:00", "2026-03-01 00:00:00.000001Z")).toEqual({
      from: "2026-02-28T23:30:00.000000Z",
      to: "2026-03-01T00:00:00.000001Z",
    });
    expect(parseRange(undefined, undefined)).toEqual({});
    expect(parseRange("1969-12-31T23:59:59.999999Z", undefined)).toEqual({
      from: "1969-12-31T23:59:59.999999Z",
    });
  });

  it("gives every instant back as it was", () => {
    // A double holds microseconds exactly from 1685 to 2255.
    fc.assert(
      fc.property(
        fc.date({ min: new Date("1700-01-01"), max: new Date("2255-01-01"), noInvalidDate: true }),
        fc.integer({ min: 0, max: 999 }),
        (date, micros) => {
          const text = date.toISOString().replace("Z", `${String(micros).padStart(3, "0")}Z`);
          expect(parseRange(text, undefined)).toEqual({ from: text });
        },
      ),
    );
  });

  it.each([
    ["2026-03-01T00:00:00", /2026-03-01T00:00:00: the zone is missing/],
    ["2026-03-01", /2026-03-01 is not a time we read/],
    ["2026-02-30T00:00:00Z", /2026-02-30T00:00:00Z does not exist/],
    ["yesterday", /yesterday is not a time/],
  ])("refuses %s", (text, message) => {
    expect(() => parseRange(text, undefined)).toThrow(message);
  });

  it("refuses a range that holds nothing", () => {
    const at = "2026-03-01T00:00:00Z";
    expect(() => parseRange(at, at)).toThrow(/nothing is between/);
    expect(() => parseRange("2026-03-02T00:00:00Z", at)).toThrow(/nothing is between/);
  });
});

describe("whereInRange", () => {
  it("takes the first instant and leaves the last", () => {
    expect(whereInRange(hist, parseRange("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"))).toBe(
      ` WHERE "ts" >= '2026-03-01T00:00:00.000000Z' AND "ts" < '2026-03-02T00:00:00.000000Z'`,
    );
    expect(whereInRange(hist, parseRange(undefined, "2026-03-02T00:00:00Z"))).toBe(
      ` WHERE "ts" < '2026-03-02T00:00:00.000000Z'`,
    );
    expect(whereInRange(hist, {})).toBe("");
  });

  it("refuses a table that has no time, but not the whole of it", () => {
    const { time: _, ...machines } = hist;
    const range = parseRange("2026-03-01T00:00:00Z", undefined);
    expect(() => whereInRange(machines, range)).toThrow(/a\.hist is no hypertable/);
    expect(whereInRange(machines, {})).toBe("");
    expect(() => whereInRange({ ...hist, time: { name: "n", type: "bigint" } }, range)).toThrow(
      /partitioned by n, which is no time but bigint/,
    );
  });
});
