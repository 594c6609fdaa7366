import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { interval } from "../../infra/units";
import {
  adviseChunkInterval,
  batchRows,
  bytes,
  type Limits,
  memoryShare,
  type Rate,
} from "../../ops/advise/chunkInterval";

const gb = 2 ** 30;
const day = 86_400;
/** DESIGN's calibration: 50 machines x 20 metrics every 10 s. */
const factory: Rate = { rowsPerDay: 8_640_000, bytesPerRow: 90, series: 1_000 };

function advise(rate: Partial<Rate>, limits: Partial<Limits> = {}) {
  return adviseChunkInterval(
    { ...factory, ...rate },
    { memoryBytes: 4 * gb, retention: undefined, ...limits },
  );
}

describe("adviseChunkInterval", () => {
  it("takes the longest interval whose chunk stays in a quarter of the memory", () => {
    expect(advise({})).toMatchObject({ interval: { text: "1 day" }, fitsMemory: true, fillsBatch: true });
    expect(advise({}, { memoryBytes: 16 * gb }).interval.text).toBe("5 days");
    expect(advise({ rowsPerDay: 8_640_000 * 24 }).interval.text).toBe("1 hour");
  });

  it("says why, with both numbers", () => {
    expect(advise({}).why).toEqual([
      "a chunk of 1 day takes 741.6 MB with its indexes, within 1 GB, a quarter of the memory; one of 2 days would take more",
      "it holds 8,640 rows a series, at least one full batch (1,000) of the columnstore",
    ]);
  });

  it("never is longer than retention, nor than 90 days", () => {
    const slow = { rowsPerDay: 100_000 };
    expect(advise(slow).interval.text).toBe("90 days");
    const short = advise(slow, { retention: interval(31 * day) });
    expect(short.interval.text).toBe("30 days");
    expect(short.why[0]).toContain("the next longer one (60 days) would be longer than retention (31 days)");
  });

  it("admits that an hour is too much for the memory", () => {
    const advice = advise({ rowsPerDay: 1e10 });
    expect(advice).toMatchObject({ interval: { text: "1 hour" }, fitsMemory: false });
    expect(advice.why[0]).toContain("more memory is needed");
  });

  it("puts memory before full batches, and says so", () => {
    const advice = advise({ series: 100_000 });
    expect(advice).toMatchObject({ interval: { text: "1 day" }, fillsBatch: false });
    expect(advice.why[1]).toContain("only 86 rows a series");
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuses a rate of %d", (rowsPerDay) => {
    expect(() => advise({ rowsPerDay })).toThrow("rowsPerDay must be finite and positive");
  });
});

describe("adviseChunkInterval, whatever comes in", () => {
  const anyRate = fc.record({
    rowsPerDay: fc.double({ min: 1, max: 1e11, noNaN: true }),
    bytesPerRow: fc.double({ min: 20, max: 1_000, noNaN: true }),
    series: fc.integer({ min: 1, max: 1_000_000 }),
  });
  const anyLimits = fc.record({
    memoryBytes: fc.double({ min: gb / 4, max: 1_024 * gb, noNaN: true }),
    retention: fc.option(
      fc.integer({ min: 1, max: 800 }).map((days) => interval(days * day)),
      { nil: undefined },
    ),
  });

  it("stays within an hour, 90 days and retention", () => {
    fc.assert(
      fc.property(anyRate, anyLimits, (rate, limits) => {
        const { seconds } = adviseChunkInterval(rate, limits).interval;
        expect(seconds).toBeGreaterThanOrEqual(3_600);
        expect(seconds).toBeLessThanOrEqual(Math.min(90 * day, limits.retention?.seconds ?? 90 * day));
      }),
    );
  });

  it("says truly whether memory and batches are right", () => {
    fc.assert(
      fc.property(anyRate, anyLimits, (rate, limits) => {
        const advice = adviseChunkInterval(rate, limits);
        const rows = (rate.rowsPerDay / day) * advice.interval.seconds;
        expect(advice.chunkBytes / (rows * rate.bytesPerRow)).toBeCloseTo(1, 9);
        expect(advice.rowsPerSeries / (rows / rate.series)).toBeCloseTo(1, 9);
        expect(advice.fitsMemory).toBe(advice.chunkBytes <= limits.memoryBytes * memoryShare);
        expect(advice.fillsBatch).toBe(advice.rowsPerSeries >= batchRows);
        if (!advice.fitsMemory) expect(advice.interval.seconds).toBe(3_600);
      }),
    );
  });

  it("never gets longer when more rows come in, nor shorter with more memory", () => {
    fc.assert(
      fc.property(
        anyRate,
        anyLimits,
        fc.double({ min: 1, max: 1_000, noNaN: true }),
        (rate, limits, factor) => {
          const seconds = adviseChunkInterval(rate, limits).interval.seconds;
          const busier = { ...rate, rowsPerDay: rate.rowsPerDay * factor };
          const larger = { ...limits, memoryBytes: limits.memoryBytes * factor };
          expect(adviseChunkInterval(busier, limits).interval.seconds).toBeLessThanOrEqual(seconds);
          expect(adviseChunkInterval(rate, larger).interval.seconds).toBeGreaterThanOrEqual(seconds);
        },
      ),
    );
  });
});

it.each([
  [0, "0 bytes"],
  [1_023, "1,023 bytes"],
  [1_024, "1 kB"],
  [3.25 * gb, "3.3 GB"],
  [5_000 * 1_024 * gb, "5,000 TB"],
])("bytes(%d) is %s", (count, text) => {
  expect(bytes(count)).toBe(text);
});
