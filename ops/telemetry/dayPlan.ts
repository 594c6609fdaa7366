/** What happens to a whole line on one day: orders, changeovers and breaks, and each machine's own misfortunes. */
import type { ProductionDay, ShiftSpan, Span } from "./calendar";
import type { MachineType } from "./machineTypes";
import { hash, Random } from "./random";

export interface OrderSpan extends Span {
  readonly product: string;
  /** Seconds a bottle at rated speed. */
  readonly idealCycleS: number;
  /** Seconds of setting up at its beginning. */
  readonly changeoverS: number;
}

export interface LinePlan {
  readonly orders: readonly OrderSpan[];
  /** Breaks: planned, of the whole line. */
  readonly breaks: readonly Span[];
}

export interface Breakdown extends Span {
  readonly reason: string;
  /** Seconds before it in which the wear shows; 0 for a sudden one. */
  readonly warningS: number;
}

export interface Stop extends Span {
  readonly reason: string;
}

/** A time at less than the usual speed. */
export interface SpeedLoss extends Span {
  readonly factor: number;
}

/** A time with more rejects than usual. */
export interface Scrap extends Span {
  readonly factor: number;
}

export interface MachinePlan {
  readonly breakdowns: readonly Breakdown[];
  readonly stops: readonly Stop[];
  readonly speedLosses: readonly SpeedLoss[];
  readonly scraps: readonly Scrap[];
}

const products: readonly [Product, ...Product[]] = [
  { product: "Still water 0.5 l", bottlesPerHour: 24_000 },
  { product: "Sparkling water 0.5 l", bottlesPerHour: 21_600 },
  { product: "Lemonade 0.33 l", bottlesPerHour: 27_000 },
  { product: "Iced tea 1.0 l", bottlesPerHour: 14_400 },
  { product: "Apple juice 1.0 l", bottlesPerHour: 12_000 },
];

interface Product {
  readonly product: string;
  readonly bottlesPerHour: number;
}

const minute = 60;
const hour = 3_600;

/** Kinds of randomness that must not influence each other. */
const use = { line: 1, breakdowns: 2, stops: 3, speed: 4, scrap: 5 };

/** @param seed of the line. */
export function planLine(seed: number, day: ProductionDay): LinePlan {
  const working = shiftTime(day);
  if (working === undefined) return { orders: [], breaks: [] };
  const random = new Random(seed, use.line, day.number);
  // Orders change in the second hour of a shift or later: never at its border, where people change.
  const changes =
    random.uniform() < 0.5
      ? [random.between(0.4, 0.6)]
      : [random.between(0.2, 0.3), random.between(0.6, 0.75)];
  const starts = [0, ...changes].map(
    (share) => working.from + Math.round((share * (working.to - working.from)) / minute) * minute,
  );
  return {
    orders: starts.map((from, i) => {
      const { product, bottlesPerHour } = random.pick(products);
      return {
        from,
        to: starts[i + 1] ?? working.to,
        product,
        idealCycleS: hour / bottlesPerHour,
        changeoverS: random.integer(12, 35) * minute,
      };
    }),
    breaks: day.shifts.map((shift) => breakOf(shift, random.integer(-6, 6) * 5 * minute)),
  };
}

function shiftTime(day: ProductionDay): Span | undefined {
  const first = day.shifts[0];
  const last = day.shifts.at(-1);
  return first === undefined || last === undefined ? undefined : { from: first.from, to: last.to };
}

/** Half an hour around the middle of a shift. */
function breakOf(shift: ShiftSpan, offset: number): Span {
  const from = Math.floor((shift.from + shift.to) / 2) - 15 * minute + offset;
  return { from, to: from + 30 * minute };
}

/** What happens at one machine, whatever its neighbours do. @param seed of the machine. */
export function planMachine(seed: number, type: MachineType, day: ProductionDay): MachinePlan {
  const working = shiftTime(day);
  if (working === undefined) return { breakdowns: [], stops: [], speedLosses: [], scraps: [] };
  return {
    breakdowns: events(new Random(seed, use.breakdowns, day.number), working, {
      meanGapS: type.hoursBetweenBreakdowns * hour,
      make: (random) => {
        const mechanical = random.uniform() < 0.4;
        return {
          lengthS: Math.min(8 * minute + random.exponential((mechanical ? 35 : 12) * minute), 3 * hour),
          reason: random.pick(mechanical ? type.mechanical : type.sudden),
          warningS: mechanical ? random.integer(2, 6) * hour : 0,
        };
      },
    }),
    stops: events(new Random(seed, use.stops, day.number), working, {
      meanGapS: 25 * minute,
      make: (random) => ({ lengthS: random.between(15, 150), reason: "minor stop" }),
    }),
    speedLosses: events(new Random(seed, use.speed, day.number), working, {
      meanGapS: 3 * hour,
      make: (random) => ({ lengthS: random.between(8, 50) * minute, factor: random.between(0.6, 0.88) }),
    }),
    scraps: events(new Random(seed, use.scrap, day.number), working, {
      meanGapS: 6 * hour,
      make: (random) => ({ lengthS: random.between(5, 30) * minute, factor: random.between(3, 10) }),
    }),
  };
}

/** Events one after the other, in whole seconds, all inside `within`. */
function events<T extends { lengthS: number }>(
  random: Random,
  within: Span,
  kind: { meanGapS: number; make: (random: Random) => T },
): (Omit<T, "lengthS"> & Span)[] {
  const result: (Omit<T, "lengthS"> & Span)[] = [];
  let from = within.from + Math.ceil(random.exponential(kind.meanGapS));
  while (from < within.to) {
    const { lengthS, ...rest } = kind.make(random);
    const to = Math.min(from + Math.ceil(lengthS), within.to);
    result.push({ ...rest, from, to });
    from = to + Math.ceil(random.exponential(kind.meanGapS));
  }
  return result;
}

/**
 * When a machine stands because another one of its line is broken down: conveyors buffer for a while, then the
 * machines behind have nothing to do and those before nowhere to put it.
 */
export function waits(position: number, breakdowns: readonly (readonly Breakdown[])[]): Stop[] {
  const bufferS = 45;
  return breakdowns.flatMap((ofMachine, other) => {
    if (other === position) return [];
    const delay = bufferS * Math.abs(other - position);
    return ofMachine.map(({ from, to }) => ({
      from: from + delay,
      to: to + delay,
      reason: other < position ? "starved" : "blocked",
    }));
  });
}

/** The seed of a machine or line, from that of all. */
export function seedOf(seed: number, ...place: readonly number[]): number {
  return hash(seed, ...place);
}
