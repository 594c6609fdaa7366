/**
 * A seeded packaging line: filler, capper, labeller, case packer and palletiser with shifts, breaks, changeovers,
 * minor stops, speed losses, rejects and breakdowns, some of which announce themselves in the sensors. It is what
 * `npm start` shows, what the benchmarks measure and what tests use where no real telemetry is at hand.
 */
import type { Samples } from "../ingest/batch";
import { Calendar, shifts } from "./calendar";
import { seedOf } from "./dayPlan";
import { type MachineType, machineTypes, metrics } from "./machineTypes";
import { hash } from "./random";
import { batches, MachineSensors } from "./samples";
import { changes, energyIntervals, hours, oeeWindowS, wattSeconds, windows } from "./tables";
import { type Failure, LineTimeline, type Segment } from "./timeline";
import type {
  ContextChange,
  EnergyConsumption,
  Line,
  OeeCalculation,
  ProductionKpi,
  ProductionOrder,
} from "./types";

export type { Line } from "./types";

export interface LineOptions {
  /** A whole number; another one makes another line. */
  readonly seed: number;
  /** The window, `end` excluded. Rows of the slower tables are given for whole windows, intervals and hours in it only. */
  readonly start: Date;
  readonly end: Date;
  /** Whole seconds between samples, which are taken at multiples of it since 1970. */
  readonly intervalSeconds: number;
  /** Default 5, one line; each five more are another line. */
  readonly machines?: number;
  /** IANA name of where the machines stand; shifts are local times. Default Europe/Berlin. */
  readonly timezone?: string;
}

/** When the meters were at 0. In windows that begin before, they begin at 0. */
const metersStart = Date.UTC(2026, 0, 1) / 1_000;

interface Machine {
  readonly number: number;
  readonly position: number;
  readonly type: MachineType;
  readonly line: number;
  readonly timeline: LineTimeline;
}

/** @throws RangeError for options that make no sense, UserError for an unknown time zone. */
export function generateLine(options: LineOptions): Line {
  const {
    seed,
    intervalSeconds,
    machines: count = machineTypes.length,
    timezone = "Europe/Berlin",
  } = options;
  const from = options.start.getTime() / 1_000;
  const to = options.end.getTime() / 1_000;
  requireWhole("seed", seed, Number.MIN_SAFE_INTEGER);
  requireWhole("intervalSeconds", intervalSeconds, 1);
  requireWhole("machines", count, 1);
  if (!(from <= to)) throw new RangeError(`the window ends (${to}) before it starts (${from})`);
  const calendar = new Calendar(timezone);
  const machines = machinesOf(seed, count, calendar);
  const firstDay = calendar.dayAt(from);
  const firstInstant = Math.ceil(from / intervalSeconds) * intervalSeconds;
  const samplesAtOnce = machines.reduce(
    (sum, { position }) => sum + MachineSensors.samplesAtOnce(position),
    0,
  );
  const { orders, orderNumber } = ordersOf(machines, calendar, firstDay, { from, to });

  /** A machine's segments from the day that holds the window's start; later ones as they are asked for. */
  function* segments({ timeline, position }: Machine, day = firstDay): Generator<Segment> {
    for (let number = day; ; number += 1) yield* timeline.day(number)[position] ?? [];
  }

  function* failures({ timeline, position }: Machine): Generator<Failure> {
    for (let number = firstDay; ; number += 1) yield* timeline.failures(position, number);
  }

  /** Rows of all machines in order of time, machine by machine where they begin together. */
  function* merged<T extends { from: number; to: number }>(
    rows: (machine: Machine) => Iterator<T>,
  ): Generator<{ machine: Machine; row: T }> {
    const streams = machines.map((machine) => ({
      machine,
      rows: rows(machine),
      row: undefined as T | undefined,
    }));
    const advance = (stream: (typeof streams)[number]): void => {
      const { done, value } = stream.rows.next();
      stream.row = done === true ? undefined : value;
    };
    for (const stream of streams) {
      do advance(stream);
      while (stream.row !== undefined && stream.row.from < from);
    }
    for (;;) {
      let first = streams[0];
      for (const stream of streams) {
        if (stream.row !== undefined && (first?.row === undefined || stream.row.from < first.row.from))
          first = stream;
      }
      if (first?.row === undefined || first.row.from >= to) return;
      if (first.row.to <= to) yield { machine: first.machine, row: first.row };
      advance(first);
    }
  }

  return {
    machines: machines.map(({ type, line }) => ({
      code: `L${line + 1}-${type.code}`,
      name: `${type.name} of line ${line + 1}`,
      line: `Line ${line + 1}`,
      timezone,
    })),
    metrics,
    shifts,
    orders,
    sampleCount: Math.max(0, Math.ceil((to - firstInstant) / intervalSeconds)) * samplesAtOnce,

    samples(batchSamples = 10_000): Iterable<Samples> {
      requireWhole("batchSamples", batchSamples, 1);
      const sensors = machines.map(
        (machine) =>
          new MachineSensors(
            machine.number,
            machine.timeline.seedOf(machine.position),
            machine.position,
            segments(machine),
            failures(machine),
          ),
      );
      return batches(sensors, samplesAtOnce, { from: firstInstant, to, step: intervalSeconds }, batchSamples);
    },

    *oee(): Generator<OeeCalculation> {
      for (const { machine, row } of merged((one) => windows(segments(one), oeeWindowS))) {
        yield {
          ts: new Date(row.from * 1_000),
          machine: machine.number,
          shift: row.shift,
          order: orderNumber(machine.line, row.day, row.order),
          plannedS: row.totals.plannedS,
          runS: row.totals.runS,
          idealCycleS: row.idealCycleS,
          totalCount: row.totals.total,
          goodCount: row.totals.good,
        };
      }
    },

    *energy(): Generator<EnergyConsumption> {
      const meters = metersAt(`${seed} ${count} ${timezone}`, machines, calendar, firstDay);
      for (const { machine, row } of merged((one) =>
        energyIntervals(one.type, segments(one), meters[one.number] ?? 0),
      )) {
        yield {
          ts: new Date(row.from * 1_000),
          machine: machine.number,
          meterKwh: row.meterKwh,
          energyKwh: row.energyKwh,
          meanPowerKw: row.meanPowerKw,
          peakPowerKw: row.peakPowerKw,
        };
      }
    },

    *kpis(): Generator<ProductionKpi> {
      for (const { machine, row } of merged((one) => hours(segments(one)))) {
        const { totals } = row;
        yield {
          ts: new Date(row.from * 1_000),
          machine: machine.number,
          shift: row.shift,
          order: orderNumber(machine.line, row.day, row.order),
          totalCount: totals.total,
          goodCount: totals.good,
          downtimeS: totals.downtimeS,
          changeoverS: totals.changeoverS,
          meanCycleS: totals.total === 0 ? null : totals.runS / totals.total,
        };
      }
    },

    *context(): Generator<ContextChange> {
      for (const machine of machines) {
        // What holds at the start may have begun before a weekend.
        let held: Segment | undefined;
        for (const segment of changes(segments(machine, firstDay - 4))) {
          if (segment.from >= to) break;
          if (held !== undefined && segment.from > from) yield contextRow(machine, held);
          held = segment;
        }
        if (held !== undefined) yield contextRow(machine, held);
      }
    },
  };

  function contextRow(machine: Machine, segment: Segment): ContextChange {
    return {
      ts: new Date(segment.from * 1_000),
      machine: machine.number,
      shift: segment.shift,
      order: segment.order === null ? null : orderNumber(machine.line, segment.day, segment.order),
      state: segment.state,
      reason: segment.reason,
      operatorRef: segment.shift === null ? null : operator(seed, machine.number, segment.day, segment.shift),
      details:
        segment.state === "breakdown" && segment.reason !== null
          ? { errorCode: `E${100 + (hash(...Buffer.from(segment.reason)) % 900)}` }
          : null,
    };
  }
}

function requireWhole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} is ${value}, not a whole number${least > 0 ? ` from ${least}` : ""}`);
  }
}

function machinesOf(seed: number, count: number, calendar: Calendar): Machine[] {
  const perLine = machineTypes.length;
  const lines = Array.from({ length: Math.ceil(count / perLine) }, (_, line) => {
    const size = Math.min(perLine, count - line * perLine);
    return new LineTimeline(seedOf(seed, line), size, calendar);
  });
  return lines.flatMap((timeline, line) =>
    machineTypes
      .slice(0, count - line * perLine)
      .map((type, position) => ({ number: line * perLine + position, position, type, line, timeline })),
  );
}

/** The orders of all lines that overlap the window, and where in the list one of a line's day is. */
function ordersOf(
  machines: readonly Machine[],
  calendar: Calendar,
  firstDay: number,
  window: { from: number; to: number },
): { orders: ProductionOrder[]; orderNumber: (line: number, day: number, order: number) => number } {
  const orders: ProductionOrder[] = [];
  const numbers = new Map<string, number>();
  const lines = machines.filter(({ position }) => position === 0);
  for (let day = firstDay; calendar.day(day).from < window.to; day += 1) {
    for (const { line, timeline } of lines) {
      for (const [index, order] of timeline.plan(day).orders.entries()) {
        if (order.to <= window.from || order.from >= window.to) continue;
        const date = new Date(day * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
        // Planners count on three quarters of the rated speed.
        const bottles = (0.75 * (order.to - order.from - order.changeoverS)) / order.idealCycleS;
        numbers.set(`${line} ${day} ${index}`, orders.length);
        orders.push({
          orderNo: `PO-${date}-L${line + 1}-${index + 1}`,
          product: order.product,
          idealCycleS: order.idealCycleS,
          quantityPlanned: Math.round(bottles / 100) * 100,
          startedAt: new Date(order.from * 1_000),
          finishedAt: order.to > window.to ? null : new Date(order.to * 1_000),
        });
      }
    }
  }
  return {
    orders,
    orderNumber(line, day, order) {
      const number = numbers.get(`${line} ${day} ${order}`);
      if (number === undefined) throw new RangeError(`no order ${order} on day ${day} of line ${line}`);
      return number;
    },
  };
}

/** Where {@link metersAt} got to last, by line: adding up a year for each of a year's days takes minutes. */
const lastMeters = new Map<string, { day: number; meters: readonly number[] }>();

/** Watt seconds on each machine's meter when a day begins. */
function metersAt(line: string, machines: readonly Machine[], calendar: Calendar, day: number): number[] {
  const begin = { day: calendar.dayAt(metersStart), meters: machines.map(() => 0) };
  if (day <= begin.day) return begin.meters;
  const last = lastMeters.get(line);
  const known = last !== undefined && last.day <= day ? last : begin;
  const meters = [...known.meters];
  for (let past = known.day; past < day; past += 1) {
    for (const { number, timeline, type, position } of machines) {
      meters[number] = (meters[number] ?? 0) + wattSeconds(type, timeline.day(past)[position] ?? []);
    }
  }
  lastMeters.set(line, { day, meters });
  return meters;
}

/** Who is at a machine: one of a few pseudonyms a shift. */
function operator(seed: number, machine: number, day: number, shift: number): string {
  return `op-${String(10 + shift * 20 + (hash(seed, machine, day, shift) % 20)).padStart(3, "0")}`;
}
