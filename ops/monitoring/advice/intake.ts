/** How much a hypertable takes in: measured from its chunks, and expected from now on. Pure. */
import type { Chunk } from "./chunks";
import { mean } from "./statistics";

export const daySeconds = 86_400;
const weekDays = 7;

/** More weeks than these say how things were, not how they are. */
const recentWeeks = 12;
/** Fewer whole weeks say nothing about how much one differs from the next. */
export const leastWeeks = 2;
/** A line through fewer points is a guess. */
const leastTrendWeeks = 4;
/** Student's t by degrees of freedom from 1, for a band that holds 80 % of what comes, and for a trend at 1 %. */
const bandT = [3.08, 1.89, 1.64, 1.53, 1.48, 1.44, 1.41, 1.4, 1.38, 1.37, 1.36];
const trendT = [63.66, 9.92, 5.84, 4.6, 4.03, 3.71, 3.5, 3.36, 3.25, 3.17];
/** Weeks that follow from the one before vary more together than alone; more than this can't be told from few weeks. */
const mostCorrelation = 0.8;

/**
 * When the first row of a chunk came, as far as the catalogue shows: a live system makes a chunk when its first row
 * comes, so the very first chunk is younger than its range. One made after its range was imported.
 */
function beginning(chunk: Chunk, isFirst: boolean): number {
  return isFirst && chunk.created > chunk.from && chunk.created < chunk.to ? chunk.created : chunk.from;
}

/**
 * Bytes as rows of each whole UTC day, oldest first, up to the last midnight before `at`. A chunk's bytes are spread
 * evenly over its time, so what varies within a chunk isn't seen.
 *
 * @param at seconds since 1970
 */
export function dailyIntake(chunks: readonly Chunk[], at: number): { firstDay: number; bytes: number[] } {
  const spans = chunks.map((chunk, index) => ({
    from: beginning(chunk, index === 0),
    to: Math.min(chunk.to, at),
    bytes: chunk.rowBytes,
  }));
  const lastDay = Math.floor(at / daySeconds);
  const firstDay = Math.min(lastDay, Math.ceil((spans[0]?.from ?? at) / daySeconds));
  const bytes = new Array<number>(lastDay - firstDay).fill(0);
  for (const { from, to, bytes: all } of spans) {
    if (to <= from) continue;
    for (let day = Math.floor(from / daySeconds); day * daySeconds < to; day += 1) {
      const index = day - firstDay;
      const inside = Math.min(to, (day + 1) * daySeconds) - Math.max(from, day * daySeconds);
      if (index >= 0 && index < bytes.length)
        bytes[index] = (bytes[index] ?? 0) + (all * inside) / (to - from);
    }
  }
  return { firstDay, bytes };
}

/** What is expected of the days to come; sums, because sizes are. */
export interface ExpectedIntake {
  /** Bytes as rows a day, now. */
  readonly perDay: number;
  /** Bytes a day more with each week; 0 when no trend can be told from chance. */
  readonly perDayAndWeek: number;
  /** Bytes of the first `days` days from now on; `side` -1 and +1 are the ends of the 80 % band. */
  total(days: number, side: -1 | 0 | 1): number;
}

/**
 * Ordinary least squares over whole weeks, because days of a week differ and weeks hardly do. A slope counts only when
 * it differs from none (t-test, 1 %); otherwise the level is the weeks' mean. The band is the textbook prediction
 * interval of a sum of m future weeks, with the variance s²·(m + m²·(1/n + (x − x̄)²/Sxx)), times (1 + ρ)/(1 − ρ) where weeks
 * follow from the one before with the correlation ρ.
 *
 * @param daily bytes of each day, oldest first
 * @param chunkDays weeks of one chunk have the same bytes: they count as one
 * @returns undefined with fewer than two whole weeks
 */
export function expectIntake(daily: readonly number[], chunkDays: number): ExpectedIntake | undefined {
  const weeks = wholeWeeks(daily).slice(-recentWeeks);
  const n = weeks.length;
  if (n < leastWeeks) return undefined;
  const line = regression(weeks);
  const trend = n >= leastTrendWeeks && Math.abs(line.slope) > (trendT[n - 3] ?? 3.17) * line.slopeError;
  const slope = trend ? line.slope : 0;
  const level = mean(weeks);
  const centre = (n - 1) / 2;
  const spread = trend ? line.residual : Math.sqrt(squares(weeks, () => level) / (n - 1));
  const fitted = (x: number) => level + slope * (x - centre);
  const together = Math.max(chunkDays / weekDays, clustering(weeks.map((week, x) => week - fitted(x))));
  const quantile = bandT[n - (trend ? 3 : 2)] ?? 1.36;
  // The middle of `days` days from now on, in weeks since the first week's middle; now is half a week after the last's.
  const middle = (days: number) => n - 0.5 + days / weekDays / 2;
  const expected = (days: number) => days * Math.max(0, level + slope * (middle(days) - centre));
  return {
    perDay: Math.max(0, level + slope * (n - 0.5 - centre)),
    perDayAndWeek: slope,
    total(days, side) {
      const m = days / weekDays;
      const ofSlope = trend ? (middle(days) - centre) ** 2 / line.sxx : 0;
      const deviation = weekDays * spread * Math.sqrt(together * (m + m ** 2 * (1 / n + ofSlope)));
      return Math.max(0, expected(days) + side * quantile * deviation);
    },
  };
}

/** Mean bytes a day of each whole week that ends with the last day, oldest first. */
function wholeWeeks(daily: readonly number[]): number[] {
  const count = Math.floor(daily.length / weekDays);
  const first = daily.length - count * weekDays;
  return Array.from({ length: count }, (_, week) =>
    mean(daily.slice(first + week * weekDays, first + (week + 1) * weekDays)),
  );
}

function regression(values: readonly number[]) {
  const n = values.length;
  const centre = (n - 1) / 2;
  const level = mean(values);
  const sxx = (n * (n ** 2 - 1)) / 12;
  const slope = values.reduce((total, value, x) => total + (x - centre) * (value - level), 0) / sxx;
  const residual = Math.sqrt(squares(values, (x) => level + slope * (x - centre)) / Math.max(1, n - 2));
  return { slope, sxx, residual, slopeError: residual / Math.sqrt(sxx) };
}

/** By how much the variance of a sum is more than that of as many independent values: (1 + ρ)/(1 − ρ), never below 1. */
function clustering(residuals: readonly number[]): number {
  const variance = residuals.reduce((total, one) => total + one ** 2, 0);
  const next = residuals.slice(1).reduce((total, one, index) => total + one * (residuals[index] ?? 0), 0);
  const correlation = variance > 0 ? Math.min(mostCorrelation, Math.max(0, next / variance)) : 0;
  return (1 + correlation) / (1 - correlation);
}

function squares(values: readonly number[], line: (x: number) => number): number {
  return values.reduce((total, value, x) => total + (value - line(x)) ** 2, 0);
}
