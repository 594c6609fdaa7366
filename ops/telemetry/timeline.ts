/** One timeline a machine, from which counts, OEE, energy, context and every sample follow. */
import type { Calendar, ProductionDay, Span } from "./calendar";
import {
  type Breakdown,
  type LinePlan,
  type MachinePlan,
  planLine,
  planMachine,
  seedOf,
  waits,
} from "./dayPlan";
import { borders, Layer } from "./intervals";
import { type MachineType, machineTypes } from "./machineTypes";
import { Random } from "./random";
import type { State } from "./types";

/** A time in which nothing about a machine changes but what grows steadily. Whole UTC seconds. */
export interface Segment extends Span {
  readonly day: number;
  readonly state: State;
  readonly reason: string | null;
  /** Place in the shift calendar; null outside the shifts. */
  readonly shift: number | null;
  /** Number of the order in its day; null outside the shifts. */
  readonly order: number | null;
  /** Seconds a piece of this machine at rated speed; 0 without an order. */
  readonly idealCycleS: number;
  /** Share of the rated speed, above 0 and at most 1 while it runs, else 0. */
  readonly speed: number;
  /** Share of the pieces that are rejected; below 1. */
  readonly rejectShare: number;
  /** Pieces since the day began, at `from`; the fraction is a piece not yet finished. */
  readonly pieces: number;
  /** The same for rejects. */
  readonly rejects: number;
  /** At `from`, 0 cold to 1 warm. */
  readonly warm: number;
}

/** Seconds in which two thirds of the way to the new temperature are gone. */
const warmingS = 1_800;
const warmTarget = { running: 1, powered: 0.35, off: 0 };

export function warmAt(segment: Segment, instant: number): number {
  const target = targetOf(segment);
  return target + (segment.warm - target) * Math.exp((segment.from - instant) / warmingS);
}

function targetOf({ state, shift }: Pick<Segment, "state" | "shift">): number {
  if (state === "running") return warmTarget.running;
  return shift === null ? warmTarget.off : warmTarget.powered;
}

/** Pieces since the day began that are finished at an instant of the segment. */
export function piecesAt(segment: Segment, instant: number): number {
  return Math.floor(exactPieces(segment, instant));
}

function exactPieces(segment: Segment, instant: number): number {
  if (segment.speed === 0) return segment.pieces;
  return segment.pieces + ((instant - segment.from) * segment.speed) / segment.idealCycleS;
}

/** Of these, the rejected ones: never more of a number of pieces than there are. */
export function rejectsAt(segment: Segment, instant: number): number {
  return Math.floor(exactRejects(segment, piecesAt(segment, instant)));
}

function exactRejects(segment: Segment, pieces: number): number {
  return segment.rejects + (pieces - Math.floor(segment.pieces)) * segment.rejectShare;
}

/** Total and rejected pieces that are finished after `from` and until `to`, both within the segment. */
export function made(segment: Segment, from: number, to: number): { total: number; rejected: number } {
  return {
    total: piecesAt(segment, to) - piecesAt(segment, from),
    rejected: rejectsAt(segment, to) - rejectsAt(segment, from),
  };
}

/** kW at the machine's meter. */
export function powerOf(type: MachineType, segment: Pick<Segment, "state" | "shift" | "speed">): number {
  const { base, powered, running, speed } = type.power;
  return (
    base +
    (segment.shift === null ? 0 : powered) +
    (segment.state === "running" ? running : 0) +
    speed * segment.speed
  );
}

/** A breakdown that announces itself. */
export type Failure = Pick<Breakdown, "from" | "warningS">;

/** Days kept in memory: a stream of all machines of a line needs one or two. */
const rememberedDays = 8;

/** Makes the days of one line, each from seed and date alone, and remembers them. */
export class LineTimeline {
  private readonly days = new Map<number, readonly (readonly Segment[])[]>();

  /**
   * @param seed of the line.
   * @param machines how many of `machineTypes` the line has, from the first on.
   */
  constructor(
    private readonly seed: number,
    private readonly machines: number,
    private readonly calendar: Calendar,
  ) {}

  /** What the line makes on a day. */
  plan(day: number): LinePlan {
    return planLine(this.seed, this.calendar.day(day));
  }

  /** The breakdowns of a machine on a day that announce themselves, in order. */
  failures(position: number, day: number): Failure[] {
    const type = machineTypes[position];
    if (type === undefined) throw new RangeError(`a line has no machine ${position}`);
    const { breakdowns } = planMachine(this.seedOf(position), type, this.calendar.day(day));
    return breakdowns.filter(({ warningS }) => warningS > 0);
  }

  /** The day of each machine, without gaps. */
  day(number: number): readonly (readonly Segment[])[] {
    const known = this.days.get(number);
    if (known !== undefined) return known;
    const day = this.calendar.day(number);
    const line = planLine(this.seed, day);
    const types = machineTypes.slice(0, this.machines);
    const plans = types.map((type, position) => planMachine(this.seedOf(position), type, day));
    const breakdowns = plans.map((plan) => plan.breakdowns);
    const made = types.map((type, position) => {
      const plan = plans[position];
      if (plan === undefined) throw new RangeError(`no plan of machine ${position}`);
      const stops = [...plan.stops, ...waits(position, breakdowns)];
      return this.machineDay(day, position, type, line, { ...plan, stops });
    });
    if (this.days.size >= rememberedDays) this.days.delete(this.days.keys().next().value ?? number);
    this.days.set(number, made);
    return made;
  }

  /** The seed of a machine of the line. */
  seedOf(position: number): number {
    return seedOf(this.seed, position);
  }

  private machineDay(
    day: ProductionDay,
    position: number,
    type: MachineType,
    line: LinePlan,
    plan: MachinePlan,
  ): Segment[] {
    const number = day.number;
    const usual = new Random(this.seedOf(position), number);
    const usualSpeed = usual.between(0.93, 0.995);
    const usualRejects = type.rejects * usual.between(0.6, 1.5);
    const changeovers = line.orders.map(({ from, changeoverS }) => ({ from, to: from + changeoverS }));
    const instants = borders(
      day,
      day.shifts,
      line.orders,
      changeovers,
      line.breaks,
      plan.breakdowns,
      plan.stops,
      plan.speedLosses,
      plan.scraps,
    );
    const shifts = new Layer(day.shifts);
    const orders = new Layer(line.orders.map((order, index) => ({ ...order, index })));
    const breaks = new Layer(line.breaks);
    const setups = new Layer(changeovers);
    const breakdowns = new Layer(plan.breakdowns);
    const stops = new Layer(plan.stops);
    const losses = new Layer(plan.speedLosses);
    const scraps = new Layer(plan.scraps);

    const segments: Segment[] = [];
    // The morning is as warm as a machine gets that did the last thing of yesterday for long.
    let warm = this.warmAtMorning(number);
    let pieces = 0;
    let rejects = 0;
    for (let i = 0; i + 1 < instants.length; i += 1) {
      const from = instants[i] ?? day.from;
      const to = instants[i + 1] ?? day.to;
      const shift = shifts.at(from)?.shift ?? null;
      const order = orders.at(from);
      const doing = whatItDoes(shift, {
        pause: breaks.at(from) !== undefined,
        setup: setups.at(from) !== undefined,
        breakdown: breakdowns.at(from)?.reason,
        stop: stops.at(from)?.reason,
      });
      const runs = doing.state === "running";
      const segment: Segment = {
        from,
        to,
        day: number,
        ...doing,
        shift,
        order: order?.index ?? null,
        idealCycleS: (order?.idealCycleS ?? 0) * type.bottlesPerPiece,
        speed: runs ? usualSpeed * (losses.at(from)?.factor ?? 1) : 0,
        rejectShare: runs ? Math.min(usualRejects * (scraps.at(from)?.factor ?? 1), 0.5) : 0,
        pieces,
        rejects,
        warm,
      };
      segments.push(segment);
      warm = warmAt(segment, to);
      pieces = exactPieces(segment, to);
      rejects = exactRejects(segment, Math.floor(pieces));
    }
    return segments;
  }

  private warmAtMorning(number: number): number {
    return this.calendar.day(number - 1).shifts.length > 0 ? warmTarget.running : warmTarget.off;
  }
}

function whatItDoes(
  shift: number | null,
  now: { pause: boolean; setup: boolean; breakdown: string | undefined; stop: string | undefined },
): { state: State; reason: string | null } {
  if (shift === null) return { state: "planned_stop", reason: "no shift" };
  if (now.pause) return { state: "planned_stop", reason: "break" };
  if (now.setup) return { state: "setup", reason: "changeover" };
  if (now.breakdown !== undefined) return { state: "breakdown", reason: now.breakdown };
  if (now.stop !== undefined) return { state: "idle", reason: now.stop };
  return { state: "running", reason: null };
}
