import type { Zone } from "./zone";

/** For error messages: what a time column may hold. */
export const acceptedTimes =
  "2024-03-09 10:14:33.5, 2024-03-09T10:14:33Z, 2024-03-09T10:14:33+01:00, or epoch seconds (10 digits) or milliseconds (13 digits)";

const daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const second = 1_000_000;
const epoch = /^(\d{10}|\d{13}|\d{16}|\d{19})(?:[.,](\d{1,9}))?$/;
const unreadable = "is not a time we read";

/**
 * Reads a point in time exactly; nothing is guessed.
 *
 * - `YYYY-MM-DD`, then `T` or a space, then `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fff` (any number of digits). Year first
 *   only: with other orders day and month cannot be told apart.
 * - behind it, perhaps after a space: nothing (local time in `zone`), `Z`, `UTC`, `±HH`, `±HHMM` or `±HH:MM`.
 * - all digits: epoch time, whose unit follows from the number of digits before the decimal mark: 10 seconds
 *   (2001 to 2286), 13 milliseconds, 16 microseconds, 19 nanoseconds. Other lengths are row numbers or durations.
 *
 * What is finer than a microsecond is cut off, as in the database.
 *
 * @returns microseconds since 1970-01-01 UTC, or the reason why the text is no single instant.
 */
export function parseInstant(text: string, zone: Zone): number | string {
  if (text.charCodeAt(4) !== 45) return parseEpoch(text);
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const dayOfMonth = digits(text, 8, 10);
  const separator = text.charCodeAt(10);
  const hours = digits(text, 11, 13);
  const minutes = digits(text, 14, 16);
  const shapeFits =
    text.charCodeAt(7) === 45 && (separator === 84 || separator === 32) && text.charCodeAt(13) === 58;
  if (!shapeFits || year < 0 || month < 0 || dayOfMonth < 0 || hours < 0 || minutes < 0)
    return `${text} ${unreadable}`;
  let at = 16;
  let seconds = 0;
  let micros = 0;
  if (text.charCodeAt(at) === 58) {
    seconds = digits(text, 17, 19);
    at = 19;
    const mark = text.charCodeAt(at);
    if (seconds >= 0 && (mark === 46 || mark === 44)) {
      const start = at + 1;
      at = start;
      for (let scale = second / 10; isDigit(text.charCodeAt(at)); scale = Math.floor(scale / 10), at += 1)
        micros += (text.charCodeAt(at) - 48) * scale;
      if (at === start) return `${text} ${unreadable}`;
    }
  }
  if (seconds < 0) return `${text} ${unreadable}`;
  if (
    month < 1 ||
    month > 12 ||
    dayOfMonth < 1 ||
    dayOfMonth > daysInMonth(year, month) ||
    hours > 23 ||
    minutes > 59 ||
    seconds > 59
  )
    return `${text} does not exist`;
  const local =
    ((daysSinceEpoch(year, month, dayOfMonth) * 24 + hours) * 3600 + minutes * 60 + seconds) * second +
    micros;
  if (at === text.length) {
    const instant = zone.toUtc(local);
    return typeof instant === "number" ? instant : `${text}: ${instant}`;
  }
  const offset = parseOffset(text.slice(at));
  return offset === undefined ? `${text} ${unreadable}` : local - offset;
}

function parseEpoch(text: string): number | string {
  const match = epoch.exec(text);
  const whole = match?.[1];
  if (whole === undefined) return `${text} ${unreadable}`;
  // As text, because a 19-digit number has more digits than a double holds.
  const fraction = match?.[2] ?? "";
  return Number((whole + fraction).padEnd(16, "0").slice(0, 16));
}

/** Microseconds ahead of UTC. */
function parseOffset(text: string): number | undefined {
  const suffix = text.startsWith(" ") ? text.slice(1) : text;
  if (suffix === "Z" || suffix === "UTC") return 0;
  const match = /^([+-])(\d\d)(?::?(\d\d))?$/.exec(suffix);
  if (match === null) return undefined;
  const hours = Number(match[2]);
  const minutes = Number(match[3] ?? 0);
  // No place on earth is further from UTC, and PostgreSQL draws the same line.
  if (hours > 15 || minutes > 59) return undefined;
  return (match[1] === "-" ? -1 : 1) * (hours * 60 + minutes) * 60 * second;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** The number written in digits at [start, end), or -1. */
function digits(text: string, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i += 1) {
    const code = text.charCodeAt(i);
    if (!isDigit(code)) return -1;
    value = value * 10 + code - 48;
  }
  return value;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function daysSinceEpoch(year: number, month: number, day: number): number {
  const before = year - 1;
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  const thisLeapDay = month > 2 && isLeap(year) ? 1 : 0;
  return year * 365 + leapDays + (daysBeforeMonth[month - 1] ?? 0) + thisLeapDay + day - 1 - 719_527;
}
