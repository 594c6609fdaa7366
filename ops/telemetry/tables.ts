/** The slower tables, added up from timelines. Pure: a machine's segments in, rows out. */
import type { Span } from "./calendar";
import type { MachineType } from "./machineTypes";
import { made, powerOf, type Segment } from "./timeline";

/** Seconds of a window of `oee_calculations`; divides an hour. */
export const oeeWindowS = 600;
/** Seconds of an interval of `energy_consumption`; divides an hour. */
export const energyIntervalS = 900;
const hourS = 3_600;

/** What a machine did in a span of time. */
export interface Totals {
  plannedS: number;
  runS: number;
  /** Standing unplanned: broken down or idle. */
  downtimeS: number;
  changeoverS: number;
  total: number;
  good: number;
}

/** A span without a change of shift or order, and what was done in it. */
export interface Window extends Span {
  readonly day: number;
  readonly shift: number;
  readonly order: number;
  readonly idealCycleS: number;
  readonly totals: Readonly<Totals>;
}

/** Cuts shift time at every full `stepS` (since 1970), shift border and order change. Time outside the shifts is left out. */
export function* windows(segments: Iterable<Segment>, stepS: number): Generator<Window> {
  let open: (Window & { to: number; totals: Totals }) | undefined;
  for (const segment of segments) {
    const { day, shift, order, idealCycleS } = segment;
    let from = segment.from;
    while (from < segment.to) {
      const to = Math.min(segment.to, (Math.floor(from / stepS) + 1) * stepS);
      const sameWindow =
        open !== undefined &&
        open.to === from &&
        from % stepS !== 0 &&
        open.day === day &&
        open.shift === shift &&
        open.order === order;
      if (!sameWindow) {
        if (open !== undefined) yield open;
        open =
          shift === null || order === null
            ? undefined
            : { from, to, day, shift, order, idealCycleS, totals: nothing() };
      }
      if (open !== undefined) {
        open.to = to;
        add(open.totals, segment, from, to);
      }
      from = to;
    }
  }
  if (open !== undefined) yield open;
}

function nothing(): Totals {
  return { plannedS: 0, runS: 0, downtimeS: 0, changeoverS: 0, total: 0, good: 0 };
}

function add(totals: Totals, segment: Segment, from: number, to: number): void {
  const seconds = to - from;
  if (segment.state !== "planned_stop") totals.plannedS += seconds;
  if (segment.state === "running") totals.runS += seconds;
  if (segment.state === "breakdown" || segment.state === "idle") totals.downtimeS += seconds;
  if (segment.state === "setup") totals.changeoverS += seconds;
  const { total, rejected } = made(segment, from, to);
  totals.total += total;
  totals.good += total - rejected;
}

/** Full hours of an order, begun or ended orders with their part of the hour. `from` and `to` are those of the hour. */
export function* hours(segments: Iterable<Segment>): Generator<Window> {
  let open: (Window & { totals: Totals }) | undefined;
  for (const window of windows(segments, hourS)) {
    const from = Math.floor(window.from / hourS) * hourS;
    if (open !== undefined && open.from === from && open.day === window.day && open.order === window.order) {
      // A shift that ends inside the hour: the row belongs to the first of the two.
      for (const key of Object.keys(open.totals) as (keyof Totals)[]) open.totals[key] += window.totals[key];
      continue;
    }
    if (open !== undefined) yield open;
    open = { ...window, from, to: from + hourS, totals: { ...window.totals } };
  }
  if (open !== undefined) yield open;
}

/** Power is counted in whole watts and time in whole seconds, so that sums are exact in whatever order. */
export function wattSeconds(type: MachineType, segments: Iterable<Segment>): number {
  let sum = 0;
  for (const segment of segments) sum += watts(type, segment) * (segment.to - segment.from);
  return sum;
}

function watts(type: MachineType, segment: Segment): number {
  return Math.round(powerOf(type, segment) * 1_000);
}

export interface EnergyInterval extends Span {
  /** The meter at `to`, in steps of 0.01 kWh. */
  readonly meterKwh: number;
  /** The difference to the meter at `from`. */
  readonly energyKwh: number;
  readonly meanPowerKw: number;
  readonly peakPowerKw: number;
}

/** @param meterWs the meter at the first segment's start, in watt seconds. */
export function* energyIntervals(
  type: MachineType,
  segments: Iterable<Segment>,
  meterWs: number,
): Generator<EnergyInterval> {
  let meter = meterWs;
  let peak = 0;
  let begin: number | undefined;
  let reading = centiKwh(meter);
  for (const segment of segments) {
    const power = watts(type, segment);
    let from = segment.from;
    while (from < segment.to) {
      begin ??= from;
      const to = Math.min(segment.to, (Math.floor(from / energyIntervalS) + 1) * energyIntervalS);
      meter += power * (to - from);
      peak = Math.max(peak, power);
      if (to % energyIntervalS === 0) {
        const now = centiKwh(meter);
        const energyKwh = (now - reading) / 100;
        const meanPowerKw = (energyKwh * 3_600) / (to - begin);
        // The meter's steps can make the mean a trifle too high.
        const peakPowerKw = Math.max(peak / 1_000, meanPowerKw);
        yield { from: begin, to, meterKwh: now / 100, energyKwh, meanPowerKw, peakPowerKw };
        begin = undefined;
        peak = 0;
        reading = now;
      }
      from = to;
    }
  }
}

function centiKwh(wattSeconds: number): number {
  return Math.floor(wattSeconds / 36_000);
}

/** The segments at which state, reason, shift or order change. */
export function* changes(segments: Iterable<Segment>): Generator<Segment> {
  let before: Segment | undefined;
  for (const segment of segments) {
    const same =
      before !== undefined &&
      before.state === segment.state &&
      before.reason === segment.reason &&
      before.shift === segment.shift &&
      before.order === segment.order &&
      (before.day === segment.day || segment.order === null);
    if (!same) yield segment;
    before = segment;
  }
}
