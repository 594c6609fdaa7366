import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replaceBetweenMarkers } from "../../ops/bench/document";
import { factoryOf } from "../../ops/bench/factory";
import { interleaved, summarise } from "../../ops/bench/measure";
import { number, type Report, toMarkdown, toTable } from "../../ops/bench/report";
import { serverFromEnvironment } from "../../ops/bench/server";

describe("interleaved", () => {
  it("measures round by round, beginning with another case each, and drops the warm-up", async () => {
    const order: string[] = [];
    const one = (name: string) => ({
      name,
      measure: async () => {
        order.push(name);
        return order.length;
      },
    });
    const summaries = await interleaved([one("a"), one("b")], { warmUps: 1, runs: 2 });
    expect(order).toEqual(["a", "b", "b", "a", "a", "b"]);
    expect(summaries.get("a")).toEqual({ median: 4.5, min: 4, max: 5, runs: 2 });
    expect(summaries.get("b")).toEqual({ median: 4.5, min: 3, max: 6, runs: 2 });
  });
});

describe("summarise", () => {
  it("takes the middle one, or the mean of the middle two", () => {
    expect(summarise([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, runs: 3 });
    expect(summarise([10, 4, 2, 6])).toEqual({ median: 5, min: 2, max: 10, runs: 4 });
  });

  it("has as many samples below the median as above it", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1 }), (samples) => {
        const { median, min, max } = summarise(samples);
        const half = samples.length / 2;
        expect(samples.filter((sample) => sample < median).length).toBeLessThanOrEqual(half);
        expect(samples.filter((sample) => sample > median).length).toBeLessThanOrEqual(half);
        expect([min, max]).toEqual([Math.min(...samples), Math.max(...samples)]);
      }),
    );
  });

  it("gives no number where nothing was measured", () => {
    expect(() => summarise([])).toThrow("nothing was measured");
  });
});

const report: Report = {
  name: "ingest",
  machine: { cpus: "2 CPUs", memory: "8 GB", node: "24.0.0", os: "Linux 6" },
  date: "2026-03-02T10:00:00.000Z",
  command: "npm run bench -- ingest",
  settings: { database: "embedded", series: 1000 },
  results: [
    { case: "one by one", unit: "rows/s", median: 1_100.4, min: 900, max: 1_200, runs: 3 },
    {
      case: "UNNEST",
      unit: "rows/s",
      median: 33_000,
      min: 33_000,
      max: 33_000,
      runs: 1,
      ratio: { value: 30, of: "single-row" },
      goal: ">= 40x",
      met: false,
    },
    { case: "COPY", notMeasured: "no server" },
  ],
};

describe("a report", () => {
  it("is a table for a terminal", () => {
    expect(toTable(report)).toMatchInlineSnapshot(`
      "ingest: 2 CPUs, 8 GB, Linux 6, node 24.0.0
      database: embedded; series: 1000.

      case        median         min–max    runs  ratio           goal
      one by one  1,100 rows/s   900–1,200  3
      UNNEST      33,000 rows/s             1     30× single-row  >= 40x  missed
      COPY        not measured

      Not measured: no server."
    `);
  });

  it("is a table for docs/benchmarks.md", () => {
    expect(toMarkdown(report)).toMatchInlineSnapshot(`
      "\`npm run bench -- ingest\`, 2026-03-02, 2 CPUs, 8 GB, Linux 6, node 24.0.0.
      database: embedded; series: 1000.

      | case | median | min–max | runs | ratio | goal |  |
      | --- | --- | --- | --- | --- | --- | --- |
      | one by one | 1,100 rows/s | 900–1,200 | 3 |  |  |  |
      | UNNEST | 33,000 rows/s |  | 1 | 30× single-row | >= 40x | missed |
      | COPY | not measured |  |  |  |  |  |

      Not measured: no server."
    `);
  });

  it.each([
    [0.0123, "0.012"],
    [3.456, "3.46"],
    [12.34, "12.3"],
    [1234.5, "1,235"],
  ])("writes %d as %s", (value, text) => {
    expect(number(value)).toBe(text);
  });
});

describe("replaceBetweenMarkers", () => {
  const document =
    "# B\n<!-- bench query: begin -->\nold\n<!-- bench query: end -->\nMissed because of $& and $1.\n";

  it("keeps what people wrote, and replaces again what it has written", () => {
    const once = replaceBetweenMarkers(document, "query", "| $& |");
    expect(once).toBe(
      "# B\n<!-- bench query: begin -->\n| $& |\n<!-- bench query: end -->\nMissed because of $& and $1.\n",
    );
    expect(replaceBetweenMarkers(once, "query", "| $& |")).toBe(once);
  });

  it.each([
    "",
    "<!-- bench query: begin -->",
    `${document}${document}`,
    "<!-- bench query: end --><!-- bench query: begin -->",
  ])("refuses a document without its markers: %s", (text) => {
    expect(() => replaceBetweenMarkers(text, "query", "x")).toThrow(
      'must have "<!-- bench query: begin -->"',
    );
  });
});

describe("factoryOf", () => {
  it("makes about as many rows as asked for, by sampling less often", () => {
    expect(factoryOf(3_000_000, 7)).toMatchObject({ machines: 10, metrics: 5, intervalSeconds: 10 });
    expect(factoryOf(600_000, 7).intervalSeconds).toBe(60);
    expect(factoryOf(10_000, 7).intervalSeconds).toBe(60);
  });
});

describe("serverFromEnvironment", () => {
  const from = (url: string) => serverFromEnvironment({ MS5_BENCH_DATABASE_URL: url });

  it("is the embedded database without it", () => {
    expect(serverFromEnvironment({})).toBeUndefined();
    expect(from("")).toBeUndefined();
  });

  it("reads an address, with TLS verified unless it says otherwise", () => {
    expect(from("postgres://me:s%40cret@db:6543/bench")).toEqual({
      host: "db",
      port: 6543,
      database: "bench",
      user: "me",
      password: "s@cret",
      tls: "verify-full",
      singleSession: false,
    });
    expect(from("postgresql://me@127.0.0.1/bench?sslmode=disable")).toMatchObject({
      port: 5432,
      tls: "disable",
    });
  });

  it.each([
    "db:secret",
    "mysql://me:secret@db/x",
    "postgres://me:secret@db/x?sslmode=prefer",
    "postgres://me:secret@db",
    "postgres://db/x",
  ])("refuses %s without repeating it", (url) => {
    expect(() => from(url)).toThrow(/^MS5_BENCH_DATABASE_URL is no address of a PostgreSQL server$/);
  });
});
