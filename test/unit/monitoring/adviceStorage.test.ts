import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Chunk } from "../../../ops/monitoring/advice/chunks";
import { dailyIntake, daySeconds, expectIntake } from "../../../ops/monitoring/advice/intake";
import { forecastStorage, storageForecastOutput } from "../../../ops/monitoring/advice/storageForecast";
import { type StoredTable, sizeAfter, sizeThen } from "../../../ops/monitoring/advice/storageModel";

const at = 20_000 * daySeconds;
const mb = 2 ** 20;

/** A day's chunk, `age` days old at its end; made when its time began. */
function chunk(age: number, rowBytes: number, bytes = rowBytes): Chunk {
  const to = at - age * daySeconds;
  return {
    name: `chunk-${age}`,
    from: to - daySeconds,
    to,
    created: to - daySeconds,
    columns: bytes !== rowBytes,
    bytes,
    rowBytes,
    analysedRows: null,
  };
}

/** Chunks of a day each, oldest first; those older than `after` days are columns at a tenth. */
function table(
  days: number,
  rowBytes: (age: number) => number,
  change: Partial<StoredTable> = {},
): StoredTable {
  const after = change.columnstoreAfterSeconds === null ? Number.POSITIVE_INFINITY : 7;
  const chunks = Array.from({ length: days }, (_, index) => {
    const age = days - 1 - index;
    return chunk(age, rowBytes(age), age >= after ? rowBytes(age) / 10 : rowBytes(age));
  });
  return {
    name: "metric_hist",
    chunkSeconds: daySeconds,
    columnstoreAfterSeconds: 7 * daySeconds,
    retentionSeconds: 90 * daySeconds,
    chunks,
    ...change,
  };
}

const sizeNow = (tables: readonly StoredTable[]) =>
  tables.flatMap(({ chunks }) => chunks).reduce((total, { bytes }) => total + bytes, 0);

function forecast(tables: readonly StoredTable[], volumeBytes?: number, other = 0) {
  const answer = forecastStorage(
    { tables, databaseBytes: sizeNow(tables) + other, at },
    volumeBytes === undefined ? {} : { volumeBytes },
  );
  expect(storageForecastOutput.parse(answer)).toEqual(answer);
  return answer;
}

describe("daily intake", () => {
  it("spreads a chunk's bytes over its days, and today's chunk over what has passed of it", () => {
    const week = { ...chunk(0, 7 * mb), from: at - 3.5 * daySeconds, to: at + 3.5 * daySeconds, created: 0 };
    const { bytes } = dailyIntake([week], at);
    expect(bytes).toEqual([2 * mb, 2 * mb, 2 * mb]);
  });

  it("counts the very first chunk from when it was made, unless it was imported", () => {
    const first = { ...chunk(0, 30 * mb), from: at - 30 * daySeconds, to: at };
    expect(dailyIntake([{ ...first, created: at - 3 * daySeconds }], at).bytes).toEqual(
      [10, 10, 10].map((one) => one * mb),
    );
    expect(dailyIntake([{ ...first, created: at + 60 }], at).bytes).toHaveLength(30);
  });

  it("has days of nothing where nothing came", () => {
    expect(dailyIntake([chunk(3, mb), chunk(1, mb)], at).bytes).toEqual([mb, 0, mb, 0]);
  });
});

describe("expected intake", () => {
  it("needs two whole weeks", () => {
    expect(expectIntake(new Array(13).fill(1), 1)).toBeUndefined();
    expect(expectIntake(new Array(14).fill(1), 1)?.perDay).toBe(1);
  });

  it("sees weeks through weekends, and no trend where there is none", () => {
    const daily = Array.from({ length: 70 }, (_, day) => (day % 7 < 5 ? 14 : 0));
    const expected = expectIntake(daily, 1);
    expect(expected).toMatchObject({ perDay: 10, perDayAndWeek: 0 });
    expect(expected?.total(90, 0)).toBeCloseTo(900);
    expect(expected?.total(90, 1)).toBeCloseTo(900);
  });

  it("goes on along a line", () => {
    const daily = Array.from({ length: 70 }, (_, day) => 100 + day);
    const expected = expectIntake(daily, 1);
    expect(expected?.perDayAndWeek).toBeCloseTo(7);
    // The sum of days 70 to 159.
    expect(expected?.total(90, 0)).toBeCloseTo((90 * (170 + 259)) / 2, 3);
  });

  it("is less sure the longer it looks, and where a chunk makes several weeks one", () => {
    const daily = Array.from({ length: 56 }, (_, day) => 100 + 20 * ((Math.floor(day / 7) * 7919) % 3));
    const width = (days: number, chunkDays: number) => {
      const expected = expectIntake(daily, chunkDays);
      return (expected?.total(days, 1) ?? 0) - (expected?.total(days, -1) ?? 0);
    };
    expect(width(10, 1)).toBeGreaterThan(0);
    expect(width(90, 1)).toBeGreaterThan(2 * width(10, 1));
    expect(width(10, 30)).toBeGreaterThan(2 * width(10, 1));
  });

  it("never is below nothing, whatever came", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e12, noNaN: true }), { minLength: 14 }), (daily) => {
        const expected = expectIntake(daily, 1);
        for (const side of [-1, 0, 1] as const) {
          const total = expected?.total(90, side) ?? Number.NaN;
          expect(total).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(total)).toBe(true);
        }
        expect(expected?.total(90, -1)).toBeLessThanOrEqual(expected?.total(90, 1) ?? 0);
      }),
    );
  });
});

describe("what chunks take", () => {
  const steady = table(90, () => 10 * mb);

  it("is rows, then columns, then nothing", () => {
    const one: StoredTable = { ...steady, chunks: [chunk(0, 10 * mb)] };
    const after = (days: number) => sizeAfter(one, at, days, 0.1, () => 0);
    expect([1, 6, 7, 89, 90].map(after)).toEqual([10 * mb, 10 * mb, mb, mb, 0]);
  });

  it("in balance stays as it is", () => {
    const now = sizeThen(steady, at, at);
    for (const days of [1, 30, 90])
      expect(sizeAfter(steady, at, days, 0.1, (so) => so * 10 * mb)).toBeCloseTo(now, -3);
  });

  it("was as large in the past as it is, with what was deleted since", () => {
    const now = sizeThen(steady, at, at);
    for (const days of [1, 30, 60]) {
      const then = sizeThen(steady, at - days * daySeconds, at);
      expect(then / now).toBeGreaterThan(0.97);
      expect(then / now).toBeLessThan(1.03);
    }
  });

  it("was less while it grew", () => {
    const young = table(40, () => 10 * mb);
    expect(sizeThen(young, at - 30 * daySeconds, at)).toBeCloseTo((7 * 10 + 3) * mb, -6);
  });

  it("of the future never is below nothing, and not more than all of it as rows", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 200 }),
        fc.integer({ min: 1, max: 40 }),
        fc.option(fc.integer({ min: 1, max: 100 }), { nil: null }),
        fc.option(fc.integer({ min: 1, max: 400 }), { nil: null }),
        fc.integer({ min: 1, max: 90 }),
        (count, chunkDays, after, keep, days) => {
          const varied: StoredTable = {
            ...table(count, () => mb),
            chunkSeconds: chunkDays * daySeconds,
            columnstoreAfterSeconds: after === null ? null : after * daySeconds,
            retentionSeconds: keep === null ? null : keep * daySeconds,
          };
          const size = sizeAfter(varied, at, days, 0.1, (so) => so * mb);
          expect(size).toBeGreaterThanOrEqual(0);
          expect(size).toBeLessThanOrEqual((count + days) * mb * 1.000001);
        },
      ),
    );
  });
});

describe("forecast", () => {
  it("of a table kept for ever grows by a day's columns a day, and says when the volume is full", () => {
    const endless = table(120, () => 10 * mb, { retentionSeconds: null });
    const answer = forecast([endless], sizeNow([endless]) + 50.5 * mb);
    expect(answer.forecast).toHaveLength(90);
    const grown = (answer.forecast[89]?.bytes ?? 0) - (answer.history.at(-1)?.bytes ?? 0);
    expect(grown / mb).toBeCloseTo(90, 0);
    expect(answer.fullAt).toBe(new Date((at + 51 * daySeconds) * 1_000).toISOString());
    expect(answer.notes).toContain(
      "metric_hist: kept for ever, so it never stops growing (10 MB a day as rows)",
    );
  });

  it("of a table in balance never fills what is large enough", () => {
    const steady = table(90, () => 10 * mb);
    expect(forecast([steady], 2 * sizeNow([steady])).fullAt).toBeNull();
    expect(forecast([steady]).fullAt).toBeNull();
  });

  it("counts what is no chunk as staying as it is", () => {
    const steady = table(90, () => 10 * mb);
    const [without, with500] = [forecast([steady]), forecast([steady], undefined, 500 * mb)];
    expect((with500.forecast[10]?.bytes ?? 0) - (without.forecast[10]?.bytes ?? 0)).toBe(500 * mb);
  });

  it("shows its error: none for what goes on as before, some for what doubled", () => {
    const steady = forecast([table(90, () => 10 * mb, { retentionSeconds: null })]);
    expect(steady.error.backtestDays).toBe(30);
    expect(steady.error.mape).toBeLessThan(0.01);
    const doubled = forecast([table(90, (age) => (age < 30 ? 20 : 10) * mb, { retentionSeconds: null })]);
    expect(doubled.error.mape).toBeGreaterThan(0.1);
  });

  it("has a band that what comes lies in about as often as it says", () => {
    // 200 histories of 180 days of which it sees the first 90: weeks that differ by chance.
    let inside = 0;
    let state = 1;
    const random = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    for (let run = 0; run < 200; run += 1) {
      const weeks = Array.from({ length: 26 }, () => 10 + 4 * (random() + random() + random() - 1.5));
      const past = table(90, (age) => (weeks[Math.floor((89 - age) / 7)] ?? 0) * mb, {
        retentionSeconds: null,
        columnstoreAfterSeconds: null,
      });
      const last = forecast([past]).forecast[69];
      const came = Array.from({ length: 70 }, (_, day) => (weeks[Math.floor((90 + day) / 7)] ?? 0) * mb);
      const real = sizeNow([past]) + came.reduce((total, one) => total + one, 0);
      if (last !== undefined && real >= last.low && real <= last.high) inside += 1;
    }
    expect(inside).toBeGreaterThan(200 * 0.68);
    expect(inside).toBeLessThan(200 * 0.92);
  });

  it("says plainly that the history is too short, and guesses nothing", () => {
    const answer = forecast([table(9, () => mb)], 1);
    expect(answer).toMatchObject({ forecast: [], fullAt: null, error: { mape: null, backtestDays: 0 } });
    expect(answer.notes[0]).toBe(
      "no forecast: the chunks hold 9 whole days, and fewer than 14 say nothing about the next 90",
    );
    expect(forecast([]).notes[0]).toContain("hold 0 whole days");
    expect(forecast([table(16, () => mb)]).error.mape).toBeNull();
  });

  it("says what a day costs, and that nobody has seen columns yet", () => {
    const { perHypertable } = forecast([table(90, () => 10 * mb)]);
    expect(perHypertable).toEqual([
      { name: "metric_hist", bytesPerDay: 10 * mb, columnBytesPerDay: mb, rowDays: 7, keptDays: 90 },
    ]);
    const rows = table(30, () => mb);
    const unseen = forecast([
      { ...rows, chunks: rows.chunks.map((one) => ({ ...one, columns: false, bytes: mb })) },
    ]);
    expect(unseen.perHypertable[0]?.columnBytesPerDay).toBeNull();
    expect(unseen.notes).toContain(
      "metric_hist: no chunk is columns yet, so none of what columns will save is counted",
    );
  });
});
