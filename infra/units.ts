/**
 * A span of time, kept as whole seconds and written the way PostgreSQL, a preview and a person read it:
 * the largest unit of days, hours, minutes or seconds that divides it ("7 days", "90 minutes").
 *
 * Months and years of the calendar have no fixed length, so a month is 30 days and a year is 365 days here; that
 * makes any two intervals comparable, which policies that must not overlap need.
 */
export interface Interval {
  readonly seconds: number;
  readonly text: string;
}

const secondsPerUnit: Readonly<Record<string, number>> = {
  second: 1,
  minute: 60,
  hour: 3_600,
  day: 86_400,
  week: 7 * 86_400,
  month: 30 * 86_400,
  year: 365 * 86_400,
};

export const intervalUnits = "seconds, minutes, hours, days, weeks, months (30 days) or years (365 days)";

/** The interval of a whole number of seconds. */
export function interval(seconds: number): Interval {
  for (const unit of ["day", "hour", "minute"] as const) {
    const size = secondsPerUnit[unit] as number;
    if (seconds >= size && seconds % size === 0) return { seconds, text: counted(seconds / size, unit) };
  }
  return { seconds, text: counted(seconds, "second") };
}

/** Reads "90 days", "1 year" or "12 hours"; undefined when it is not a whole positive number and a known unit. */
export function parseInterval(text: string): Interval | undefined {
  const match = /^\s*(\d{1,6})\s*([a-z]+?)s?\s*$/i.exec(text);
  const count = Number(match?.[1]);
  const size = secondsPerUnit[(match?.[2] ?? "").toLowerCase()];
  if (match === null || size === undefined || count === 0) return undefined;
  return interval(count * size);
}

/** "1 day", "2 days". */
export function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
