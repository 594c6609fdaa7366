import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Chunk, Forecast, Oee, Telemetry } from "../../../ops/monitoring/page/answers";
import {
  anomaliesByBucket,
  forecastColumns,
  isolated,
  oeeColumns,
  telemetryColumns,
  telemetrySummary,
} from "../../../ops/monitoring/page/series.js";
import { timeline } from "../../../ops/monitoring/page/timeline.js";

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const bucket = (at: number, avg = 10) => ({ at: iso(at), avg, min: avg - 1, max: avg + 1 });
const telemetry = (...points: Telemetry["points"]): Telemetry => ({ unit: "°C", bucketSeconds: 60, points });
const anomaly = (at: number, value = 50) => ({ at: iso(at), value, expected: 10, score: 4 });

describe("telemetry's columns", () => {
  it("break the line where buckets are missing", () => {
    const { at, avg } = telemetryColumns(telemetry(bucket(0), bucket(60), bucket(300)), []);
    expect(at).toEqual([0, 60, 120, 300]);
    expect(avg).toEqual([10, 10, null, 10]);
  });

  it("let the line pass an anomaly between two buckets", () => {
    const columns = telemetryColumns(telemetry(bucket(0), bucket(60)), [anomaly(20), anomaly(60, 70)]);
    expect(columns.at).toEqual([0, 20, 60]);
    expect(columns.avg).toEqual([10, undefined, 10]);
    expect(columns.max).toEqual([11, undefined, 11]);
    expect(columns.anomaly).toEqual([undefined, 50, 70]);
  });

  it("leave out what has no moment", () => {
    const broken = { ...bucket(0), at: "yesterday" };
    expect(telemetryColumns(telemetry(broken), [{ ...anomaly(0), at: "" }]).at).toEqual([]);
  });

  it("always rise, are equally long, and hold every bucket", () => {
    const times = fc.uniqueArray(fc.integer({ min: 0, max: 10_000 }), { maxLength: 40 });
    fc.assert(
      fc.property(times, times, (buckets, anomalies) => {
        const sorted = buckets.toSorted((a, b) => a - b);
        const columns = telemetryColumns(
          telemetry(...sorted.map((one) => bucket(one * 60))),
          anomalies.map((one) => anomaly(one * 7)),
        );
        expect(columns.at).toEqual(columns.at.toSorted((a, b) => a - b));
        expect(new Set(columns.at).size).toBe(columns.at.length);
        for (const column of [columns.avg, columns.min, columns.max, columns.anomaly])
          expect(column).toHaveLength(columns.at.length);
        expect(columns.avg.filter((value) => value === 10)).toHaveLength(buckets.length);
        expect(columns.anomaly.filter((value) => value === 50)).toHaveLength(anomalies.length);
      }),
    );
  });
});

it("puts each anomaly beside the bucket it is in", () => {
  const answer = telemetry(bucket(0), bucket(60), bucket(300));
  const [first, second, third] = anomaliesByBucket(answer, [
    anomaly(0),
    anomaly(59),
    anomaly(119),
    anomaly(200),
  ]);
  expect([first?.length, second?.length, third?.length]).toEqual([2, 1, 0]);
});

it("finds values that a line alone would not show", () => {
  expect(isolated([1, null, 2, undefined, null, 3, 4, null])).toEqual([0, 2]);
  expect(isolated([1, undefined, 2])).toEqual([]);
  expect(isolated([])).toEqual([]);
});

it("sets one machine's OEE against the mean of those that have one", () => {
  const oee: Oee = {
    machines: [],
    series: [
      {
        machine: "A",
        points: [
          { at: iso(0), oee: 0.4 },
          { at: iso(3600), oee: null },
        ],
      },
      {
        machine: "B",
        points: [
          { at: iso(0), oee: 0.8 },
          { at: iso(3600), oee: 0.5 },
          { at: iso(7200), oee: null },
        ],
      },
    ],
  };
  const { at, chosen, mean } = oeeColumns(oee, "A");
  expect(at).toEqual([0, 3600, 7200]);
  expect(chosen).toEqual([0.4, null, null]);
  expect(mean[0]).toBeCloseTo(0.6);
  expect(mean.slice(1)).toEqual([0.5, null]);
});

describe("the forecast's columns", () => {
  const answer: Forecast = {
    history: [
      { at: iso(0), bytes: 1 },
      { at: iso(10), bytes: 2 },
    ],
    // What is not after history is none.
    forecast: [
      { at: iso(10), bytes: 9, low: 9, high: 9 },
      { at: iso(20), bytes: 4, low: 3, high: 6 },
    ],
    fullAt: null,
    error: { mape: null },
    method: "",
  };

  it("begin where history ends", () => {
    expect(forecastColumns(answer)).toEqual({
      at: [0, 10, 20],
      history: [1, 2, null],
      forecast: [null, 2, 4],
      low: [null, 2, 3],
      high: [null, 2, 6],
    });
  });

  it("have no beginning without a forecast", () => {
    expect(forecastColumns({ ...answer, forecast: [] }).forecast).toEqual([null, null]);
  });
});

it("says a chart in a sentence", () => {
  const words = telemetrySummary(telemetry(bucket(0, 20), bucket(60, 30)), [anomaly(0)]).replaceAll(
    "\u00a0",
    " ",
  );
  expect(words).toMatch(/: between 19 °C and 31 °C, at the end 30 °C\. 1 anomaly\.$/);
  expect(telemetrySummary(telemetry(), [])).toBe("No values.");
});

describe("chunks along time", () => {
  const chunk = (from: number, to: number, sizeBytes: number | null): Chunk => ({
    name: "c",
    from: iso(from),
    to: iso(to),
    sizeBytes,
    rows: null,
    store: "rows",
  });

  it("stand where they belong, as high as they are large", () => {
    const line = timeline([chunk(50, 100, 100), chunk(0, 50, 50)]);
    expect(line).toMatchObject({ from: iso(0), to: iso(100) });
    expect(line?.bars.map(({ left, width, height }) => [left, width, height])).toEqual([
      [0.5, 0.5, 1],
      [0, 0.5, 0.5],
    ]);
  });

  it("can be seen however small they are", () => {
    const [bar] = timeline([chunk(0, 1, 0), chunk(0, 1_000_000, 1e12)])?.bars ?? [];
    expect(bar?.width).toBeGreaterThan(0.001);
    expect(bar?.height).toBeGreaterThan(0.01);
  });

  it("are nothing where there are none", () => {
    expect(timeline([])).toBeUndefined();
    expect(timeline([chunk(5, 5, 1)])).toBeUndefined();
    expect(timeline([chunk(0, 5, null)])?.bars).toHaveLength(1);
  });
});
