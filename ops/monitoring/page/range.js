// From when to when telemetry and OEE are shown. Pure.
import { milliseconds } from "./format.js";

/**
 * @typedef {object} Range
 * @property {string} from
 * @property {string} to
 */

const hour = 60 * 60 * 1000;
const day = 24 * hour;

/** The API refuses more. */
const longestDays = 400;
/** The API refuses more of OEE: it answers by the hour and for all machines. */
const longestOeeDays = 31;

/** @type {Readonly<Record<string, number>>} */
const lengths = {
  "6h": 6 * hour,
  "24h": day,
  "7d": 7 * day,
  "30d": 30 * day,
  "90d": 90 * day,
  "1y": 365 * day,
};

/**
 * @param {string} choice a key of `lengths`
 * @param {number} now milliseconds since 1970
 * @returns {Range}
 */
export function lastRange(choice, now) {
  return { from: iso(now - (lengths[choice] ?? day)), to: iso(now) };
}

/**
 * What two fields say, each a moment in the browser's zone.
 * @param {string} from
 * @param {string} to
 * @returns {Range | { error: string }}
 */
export function customRange(from, to) {
  const begin = milliseconds(from);
  const end = milliseconds(to);
  if (begin === undefined) return { error: "Give a first moment." };
  if (end === undefined) return { error: "Give a last moment." };
  if (begin >= end) return { error: "The first moment must be before the last." };
  if (end - begin > longestDays * day)
    return { error: `No more than ${longestDays} days can be shown at once.` };
  return { from: iso(begin), to: iso(end) };
}

/**
 * The week that ends with a moment: where data is when the last day has none.
 * @param {string} at
 * @returns {Range}
 */
export function weekUntil(at) {
  // One second more: the API leaves out the end itself.
  const end = (milliseconds(at) ?? 0) + 1000;
  return { from: iso(end - 7 * day), to: iso(end) };
}

/**
 * The end of a range, as much of it as OEE can be had of.
 * @param {Range} range
 * @returns {Range & { cut: boolean }}
 */
export function oeeRange({ from, to }) {
  const earliest = (milliseconds(to) ?? 0) - longestOeeDays * day;
  const cut = earliest > (milliseconds(from) ?? 0);
  return { from: cut ? iso(earliest) : from, to, cut };
}

/**
 * As a field of type datetime-local takes it, in the browser's zone.
 * @param {string} at
 */
export function fieldValue(at) {
  const moment = milliseconds(at);
  if (moment === undefined) return "";
  const local = moment - new Date(moment).getTimezoneOffset() * 60_000;
  return new Date(local).toISOString().slice(0, 19);
}

/** @param {number} moment */
function iso(moment) {
  return new Date(moment).toISOString();
}
