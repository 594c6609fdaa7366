import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  anomaliesOutput,
  defaultThreshold,
  findAnomalies,
  type Point,
  scoreMachine,
  scoreSeries,
} from "../../../ops/monitoring/advice/anomalies";
import { generateLine } from "../../../ops/telemetry/generator";

const count = 1_200;
const reference = 400;
const fault = { from: 700, to: 900 };

/** Numbers between -0.5 and 0.5 that look random and are the same each time. */
function noise(seed: number): () => number {
  let state = seed * 7_919 + 17;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647 - 0.5;
  };
}

function series(seed: number, value: (index: number, noise: number) => number): number[] {
  const next = noise(seed);
  return Array.from({ length: count }, (_, index) => value(index, next()));
}

const inFault = (index: number) => index >= fault.from && index < fault.to;
const points = (values: readonly number[]): Point[] =>
  values.map((value, index) => ({ at: new Date(index * 1_000), value }));
const flagged = (values: readonly number[]) =>
  findAnomalies(points(values), { reference }).points.map(({ at }) => Date.parse(at) / 1_000);

/** Shares of the fault that is flagged, and of the rest that is, half a window around its borders left out. */
function shares(values: readonly number[]): { found: number; falseAlarms: number } {
  const found = new Set(flagged(values));
  const share = (indexes: number[]) => indexes.filter((index) => found.has(index)).length / indexes.length;
  const all = Array.from({ length: count - reference }, (_, index) => reference + index);
  return {
    found: share(all.filter((index) => index >= fault.from + 31 && index < fault.to - 31)),
    falseAlarms: share(all.filter((index) => index < fault.from - 31 || index >= fault.to + 31)),
  };
}

describe("a steady sensor", () => {
  it("has few false alarms where nothing happens", () => {
    const alarms = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => flagged(series(seed, (_, one) => 20 + one)).length);
    expect(alarms.reduce((total, one) => total + one, 0)).toBeLessThan(0.05 * 8 * (count - reference));
  });

  it("shows a shift that no single reading shows", () => {
    // Half of what readings vary by.
    const { found, falseAlarms } = shares(series(3, (index, one) => 20 + one + (inFault(index) ? 0.4 : 0)));
    expect(found).toBeGreaterThan(0.95);
    expect(falseAlarms).toBeLessThan(0.02);
  });

  it("shows a single reading far outside", () => {
    const values = series(4, (index, one) => 20 + one + (index === 800 ? 5 : 0));
    const { points: found } = findAnomalies(points(values), { reference });
    const worst = found.toSorted((a, b) => b.score - a.score)[0];
    expect(Date.parse(worst?.at ?? "") / 1_000).toBe(800);
  });

  it("is not thrown off by a few wild readings in what is taken as normal", () => {
    const values = series(5, (index, one) => 20 + one + (index === 100 ? 3 : 0) + (inFault(index) ? 2 : 0));
    expect(shares(values).found).toBeGreaterThan(0.95);
  });

  it("that is rounded to whole numbers still shows a change of its mean", () => {
    const values = series(6, (index, one) => Math.round(32 + 0.9 * one + (inFault(index) ? 0.45 : 0)));
    expect(shares(values).found).toBeGreaterThan(0.9);
  });

  it("that never moved is flagged when it does, and not before", () => {
    expect(flagged(series(1, () => 7))).toEqual([]);
    const { found, falseAlarms } = shares(series(1, (index) => (inFault(index) ? 8 : 7)));
    expect(found).toBe(1);
    expect(falseAlarms).toBe(0);
  });
});

describe("a drifting sensor", () => {
  it("may drift on; a jump counts", () => {
    const drift = (index: number, one: number) => 60 + index / 50 + 0.1 * one;
    expect(flagged(series(2, drift)).length).toBeLessThan(0.02 * count);
    const jump = flagged(series(2, (index, one) => drift(index, one) + (inFault(index) ? 5 : 0)));
    expect(jump.some((index) => Math.abs(index - fault.from) < 31)).toBe(true);
  });
});

describe("a machine", () => {
  it("is as anomalous as its worst sensor, which is named", () => {
    const sensors = [
      series(1, (_, one) => 20 + one),
      series(2, (index, one) => 5 + 0.1 * one + (inFault(index) ? 1 : 0)),
      series(3, (_, one) => 100 + 30 * one),
    ];
    expect(scoreMachine(sensors, reference)[800]).toMatchObject({ sensor: 1 });
    expect(scoreMachine(sensors, reference)[800]?.score).toBeGreaterThan(defaultThreshold);
  });

  it("of the generator with a fault injected into one sensor is told from the same without", () => {
    // Where nobody has labelled files: an hour and a half of a filler, every five seconds.
    const start = new Date("2026-03-03T08:00:00Z");
    const line = generateLine({
      seed: 7,
      start,
      end: new Date(start.getTime() + 90 * 60_000),
      intervalSeconds: 5,
      machines: 1,
    });
    const byMetric = new Map<number, number[]>();
    for (const { length, values, metrics } of line.samples())
      for (let i = 0; i < length; i += 1) {
        const metric = metrics[i] ?? 0;
        byMetric.set(metric, [...(byMetric.get(metric) ?? []), values[i] ?? 0]);
      }
    const sensors = [...byMetric.entries()]
      .filter(([metric]) => line.metrics[metric]?.kind === "gauge")
      .map(([, values]) => values);
    const place = 1;
    const target = sensors[place] ?? [];
    const size = Math.max(...target.slice(0, reference)) - Math.min(...target.slice(0, reference));
    expect(size).toBeGreaterThan(0);
    const broken = sensors.map((values, at) =>
      values.map((value, index) => (at === place && inFault(index) ? value + 3 * size : value)),
    );
    const score = (of: readonly (readonly number[])[]) => scoreMachine(of, reference)[800];
    expect(score(broken)?.score).toBeGreaterThan(2 * Math.max(defaultThreshold, score(sensors)?.score ?? 0));
    expect(score(broken)?.sensor).toBe(place);
  });
});

describe("whatever comes in", () => {
  it("gives a finite score and an answer of the API's shape", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constantFrom(0, Number.NaN, Infinity)),
          {
            minLength: 150,
            maxLength: 250,
          },
        ),
        (values) => {
          const answer = findAnomalies(points(values), { reference: 100 });
          expect(anomaliesOutput.parse(answer)).toEqual(answer);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("does not depend on the unit, nor on where zero is", () => {
    const values = series(9, (index, one) => 20 + one + (inFault(index) ? 0.4 : 0));
    const scores = (of: readonly number[]) => scoreSeries(of, reference).map(({ score }) => score);
    const other = scores(values.map((value) => 1.8 * value + 32));
    for (const [index, score] of scores(values).entries()) expect(other[index]).toBeCloseTo(score, 6);
  });

  it("says when there is too little to learn from", () => {
    const few = findAnomalies(points([1, 2, 3]), { reference: 2 });
    expect(few).toMatchObject({ points: [], unavailable: expect.stringContaining("3 readings, 2 of them") });
    expect(() => scoreSeries([1, 2, 3], 2)).toThrow(RangeError);
  });
});
