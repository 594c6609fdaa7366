/**
 * Times at which a sensor's readings are not what they used to be. Pure.
 *
 * What it does, in words: the first part of the series is taken as normal. A reading is compared with what is expected,
 * and the mean of these differences over a window with how much such means vary in the normal part: a valve that closes
 * a little shows in no single noisy reading, but at once in the mean of sixty. What is expected is
 * - for a steady sensor the normal part's median;
 * - for one that drifts anyhow (a temperature that follows the day) the median of its own recent past: only changes that
 *   are faster than the drift count.
 * A single reading far outside anything in the normal part counts too.
 */
import { z } from "zod";
import { mean, median, standardDeviation } from "./statistics";

export interface Point {
  /** Any order-preserving time; only the order counts. */
  readonly at: Date;
  /** NaN and infinities are left out. */
  readonly value: number;
}

export const anomaliesOutput = z.strictObject({
  method: z.string(),
  /** Scores from here on are anomalies. */
  threshold: z.number().positive(),
  /** The anomalous ones only, in order of time. */
  points: z.array(
    z.strictObject({
      at: z.iso.datetime(),
      value: z.number(),
      expected: z.number(),
      /** How many times the usual variation its surroundings are off. */
      score: z.number(),
    }),
  ),
  /** Why nothing could be found; null where it could. */
  unavailable: z.string().nullable(),
});
export type Anomalies = z.infer<typeof anomaliesOutput>;

export interface AnomalyOptions {
  /** Points at the beginning that are taken as normal; they are never flagged themselves. */
  readonly reference: number;
  /** Default {@link defaultThreshold}. Lower finds more, and more that is nothing. */
  readonly threshold?: number;
}

/** Chosen on three of the labelled SKAB files (docs/advice.md says how); means of normal windows rarely go beyond. */
export const defaultThreshold = 3;
/** Fewer normal readings say too little about what is usual. */
export const leastReference = 100;
export const method =
  "deviation of a 61-point mean from the normal part's median (from the recent median where the sensor drifts), in units of how much such means vary there; single readings beyond twice the normal part's extremes";

const longestWindow = 61;
/** Windows of the recent past that a drifting sensor is compared with. */
const recentWindows = 3;
/** Points a block, and how much more block means vary than they would by chance where a sensor drifts. */
const driftBlock = 20;
const driftLimit = 10;
/** A single reading this many times as far off as any normal one is worth the threshold. */
const extremeFactor = 2;

export function findAnomalies(points: readonly Point[], options: AnomalyOptions): Anomalies {
  const { threshold = defaultThreshold } = options;
  const known = points.filter(({ value }) => Number.isFinite(value));
  const empty = { method, threshold, points: [] };
  if (options.reference < leastReference || known.length <= options.reference)
    return {
      ...empty,
      unavailable: `${known.length} readings, ${Math.min(options.reference, known.length)} of them to learn from, are too few: at least ${leastReference} before the time that is asked for`,
    };
  const scored = scoreSeries(
    known.map(({ value }) => value),
    options.reference,
  );
  const flagged = known.flatMap(({ at, value }, index) => {
    const { score = 0, expected = value } = scored[index] ?? {};
    return index >= options.reference && isAnomalous(score, threshold)
      ? [{ at: at.toISOString(), value, expected, score }]
      : [];
  });
  return { ...empty, points: flagged, unavailable: null };
}

export interface MachineScore {
  /** The largest score of any sensor. */
  readonly score: number;
  /** Which one that is: its place in the list. */
  readonly sensor: number;
}

/**
 * The same over the sensors of one machine: an instant is as anomalous as its most anomalous sensor, which is also the
 * explanation.
 *
 * @param sensors readings of each at the same instants
 */
export function scoreMachine(sensors: readonly (readonly number[])[], reference: number): MachineScore[] {
  const scores = sensors.map((values) => scoreSeries(values, reference));
  return (sensors[0] ?? []).map((_, index) => {
    let worst: MachineScore = { score: 0, sensor: 0 };
    for (const [sensor, scored] of scores.entries()) {
      const score = scored[index]?.score ?? 0;
      if (score > worst.score) worst = { score, sensor };
    }
    return worst;
  });
}

export function isAnomalous(score: number, threshold: number): boolean {
  return score >= threshold;
}

interface Scored {
  readonly expected: number;
  readonly score: number;
}

/** @param reference readings at the beginning that are normal; at least {@link leastReference} */
export function scoreSeries(values: readonly number[], reference: number): Scored[] {
  if (reference < leastReference || reference > values.length)
    throw new RangeError(
      `a reference of ${reference} of ${values.length} readings; at least ${leastReference}`,
    );
  const normal = values.slice(0, reference);
  // Six windows that don't overlap are the least that says how much windows differ.
  const window = Math.min(longestWindow, oddFloor(reference / 6));
  const drifting = drifts(normal);
  const centre = median(normal);
  const expected = drifting ? recentMedians(values, window) : values.map(() => centre);
  const off = values.map((value, index) => value - (expected[index] ?? value));
  const means = rollingMeans(off, window);
  // Where the recent past is all there, if that leaves enough.
  const settled = drifting ? Math.min((recentWindows + 1) * window, Math.floor(reference / 2)) : 0;
  const usual = off.slice(settled, reference);
  const usualMeans = means.slice(settled, reference);
  const scale = Math.max(
    // What drifts one way is always off from its past by some, which is usual then.
    drifting ? Math.sqrt(mean(usualMeans.map((one) => one ** 2))) : standardDeviation(usualMeans),
    standardDeviation(usual) / Math.sqrt(window),
    rounding(normal) / Math.sqrt(12 * window),
    // A sensor that never moved: any move is one, but not a move of the last bit.
    Math.abs(centre) * 1e-9,
    Number.MIN_VALUE,
  );
  const extreme = usual.reduce((most, one) => Math.max(most, Math.abs(one)), scale);
  return off.map((one, index) => ({
    expected: expected[index] ?? one,
    score: Math.max(
      Math.abs(means[index] ?? 0) / scale,
      (Math.abs(one) / extreme / extremeFactor) * defaultThreshold,
    ),
  }));
}

/**
 * Whether a series has no level to come back to: the variance of means of blocks, times the block's length, is that of
 * single readings where they are independent, and up to the block's length times that where one follows from the one before.
 */
function drifts(values: readonly number[]): boolean {
  const spread = standardDeviation(values);
  if (spread === 0) return false;
  const blocks = Array.from({ length: Math.floor(values.length / driftBlock) }, (_, block) =>
    mean(values.slice(block * driftBlock, (block + 1) * driftBlock)),
  );
  return (driftBlock * standardDeviation(blocks) ** 2) / spread ** 2 > driftLimit;
}

/** The smallest step between readings: a sensor can't be more exact than that. */
function rounding(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  let least = Number.POSITIVE_INFINITY;
  for (let index = 1; index < sorted.length; index += 1) {
    const step = (sorted[index] ?? 0) - (sorted[index - 1] ?? 0);
    if (step > 0 && step < least) least = step;
  }
  return Number.isFinite(least) ? least : 0;
}

/** Means of a window around each reading, shorter at the ends. */
function rollingMeans(values: readonly number[], window: number): number[] {
  const half = window >> 1;
  const sums = new Float64Array(values.length + 1);
  for (const [index, value] of values.entries()) sums[index + 1] = (sums[index] ?? 0) + value;
  return values.map((_, index) => {
    const [from, to] = [Math.max(0, index - half), Math.min(values.length, index + half + 1)];
    return ((sums[to] ?? 0) - (sums[from] ?? 0)) / (to - from);
  });
}

/** Medians of some windows of the past, a window ago: so that a change is not compared with itself. */
function recentMedians(values: readonly number[], window: number): number[] {
  return values.map((_, index) => {
    const to = Math.max(1, index - window);
    return median(values.slice(Math.max(0, to - recentWindows * window), to));
  });
}

function oddFloor(value: number): number {
  const whole = Math.floor(value);
  return whole % 2 === 1 ? whole : whole - 1;
}
