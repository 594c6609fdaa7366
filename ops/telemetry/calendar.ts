/** Shifts in local time as spans of UTC seconds. */
import { createZone } from "../ingest/zone";
import type { ShiftReference } from "./types";

const weekdays = [1, 2, 3, 4, 5];

/** Three shifts from Monday to Friday; the night shift that starts on Friday ends on Saturday morning. */
export const shifts: readonly ShiftReference[] = [
  { code: "early", starts: "06:00", ends: "14:00", weekdays },
  { code: "late", starts: "14:00", ends: "22:00", weekdays },
  { code: "night", starts: "22:00", ends: "06:00", weekdays },
];

/** UTC seconds, `to` excluded. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface ShiftSpan extends Span {
  /** Its place in `shifts`. */
  readonly shift: number;
}

/** A day of production: from the local start of the first shift to the same on the next day. */
export interface ProductionDay extends Span {
  /** Days from 1970-01-01 to its local date. */
  readonly number: number;
  /** Empty on a day off. */
  readonly shifts: readonly ShiftSpan[];
}

const daySeconds = 86_400;

export class Calendar {
  private readonly toUtc: (day: number, time: string) => number;

  /** @throws UserError for an unknown time zone. */
  constructor(timezone: string) {
    const zone = createZone(timezone);
    this.toUtc = (day, time) => {
      const [hours = 0, minutes = 0] = time.split(":").map(Number);
      const local = day * daySeconds + hours * 3_600 + minutes * 60;
      const utc = zone.toUtc(local * 1e6);
      if (typeof utc === "string") throw new Error(`a shift starts at ${time} of day ${day}: ${utc}`);
      return utc / 1e6;
    };
  }

  day(number: number): ProductionDay {
    const from = this.toUtc(number, "06:00");
    const to = this.toUtc(number + 1, "06:00");
    // 1970-01-01 was a Thursday.
    const weekday = ((((number + 3) % 7) + 7) % 7) + 1;
    const working = shifts.flatMap(({ starts, weekdays: on }, shift) =>
      on.includes(weekday) ? [{ shift, from: this.toUtc(number, starts) }] : [],
    );
    return {
      number,
      from,
      to,
      // Each lasts until the next one, however many hours the clocks make of that.
      shifts: working.map(({ shift, from: start }, i) => ({
        shift,
        from: start,
        to: working[i + 1]?.from ?? to,
      })),
    };
  }

  /** The number of the production day that an instant in UTC seconds belongs to. */
  dayAt(instant: number): number {
    let number = Math.floor(instant / daySeconds);
    while (this.day(number).from > instant) number -= 1;
    while (this.day(number).to <= instant) number += 1;
    return number;
  }
}
