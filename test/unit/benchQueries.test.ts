import { describe, expect, it } from "vitest";
import { bind, loadQueries, pairUp, parseQuery } from "../../ops/bench/queries";

const text =
  "-- question: How?\n-- :machine  its code\n-- :from     start\nSELECT :'from'::timestamptz, :'machine', :'from'";

describe("sql/queries", () => {
  it("has twelve questions, each with an aggregate form or the reason why there is none", () => {
    const queries = loadQueries();
    expect(queries).toHaveLength(12);
    for (const { raw, aggregate } of queries) expect(aggregate ?? raw.noAggregate).toBeDefined();
  });

  it("reads hypertables in the raw form, and aggregates in the other alone", () => {
    for (const { raw, aggregate } of loadQueries()) {
      expect(raw.sql).not.toContain("_aggregate");
      expect(aggregate?.sql ?? "_aggregate").toContain("_aggregate");
      expect(aggregate?.sql ?? "").not.toMatch(/metric_hist|oee_calculations/);
    }
  });
});

describe("parseQuery", () => {
  it("reads question, parameters and statement", () => {
    expect(parseQuery("a.raw.sql", text)).toEqual({
      question: "How?",
      parameters: { machine: "its code", from: "start" },
      noAggregate: undefined,
      sql: "SELECT :'from'::timestamptz, :'machine', :'from'",
    });
  });

  it.each([
    ["SELECT 1", 'no "-- question: …"'],
    ["-- question: How?\nSELECT :'from'", ":from is not explained"],
    ["-- question: How?\n-- :from  start\nSELECT 1", ":from is not used"],
  ])("refuses %j", (bad, reason) => {
    expect(() => parseQuery("a.raw.sql", bad)).toThrow(reason);
  });
});

describe("pairUp", () => {
  const none = text.replace("SELECT", "-- aggregate: none, because it is so\nSELECT");

  it("pairs the two forms by name", () => {
    const [a, b] = pairUp([
      { file: "b.raw.sql", text: none },
      { file: "a.aggregate.sql", text },
      { file: "a.raw.sql", text },
    ]);
    expect([a?.name, a?.aggregate?.question, b?.name, b?.raw.noAggregate]).toEqual([
      "a",
      "How?",
      "b",
      "it is so",
    ]);
  });

  it.each([
    [[{ file: "A.sql", text }], "not NAME.raw.sql"],
    [[{ file: "a.aggregate.sql", text }], "a.raw.sql is missing"],
    [[{ file: "a.raw.sql", text }], "either a.aggregate.sql exists"],
    [
      [
        { file: "a.raw.sql", text: none },
        { file: "a.aggregate.sql", text },
      ],
      "either a.aggregate.sql exists",
    ],
    [
      [
        { file: "a.raw.sql", text },
        { file: "a.aggregate.sql", text: text.replace("How", "Why") },
      ],
      "differ",
    ],
  ])("refuses %j", (files, reason) => {
    expect(() => pairUp(files)).toThrow(reason);
  });
});

describe("bind", () => {
  const query = parseQuery("a.raw.sql", text);

  it("numbers each parameter once and leaves casts alone", () => {
    expect(bind(query, { machine: "m", from: "f", other: "x" })).toEqual({
      text: "SELECT $1::timestamptz, $2, $1",
      values: ["f", "m"],
    });
  });

  it("refuses a missing value", () => {
    expect(() => bind(query, { machine: "m" })).toThrow("no value for :from");
  });
});
