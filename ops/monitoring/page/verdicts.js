// What the numbers mean: the four answers at the top, and the sentence about health. Pure.
import { ago, bytes, duration, milliseconds, percent, plural } from "./format.js";

/** @typedef {"good" | "look" | "bad" | "unknown"} Sign */
/**
 * @typedef {object} Verdict
 * @property {Sign} sign
 * @property {string} headline
 * @property {string} why
 */

/** Said beside each sign: its colour and shape are never the only hint. */
export const signWords = /** @type {const} */ ({
  good: "Good",
  look: "Needs a look",
  bad: "Bad",
  unknown: "Not known",
});

/** A machine reports each 10 s and the loader writes in batches: five minutes without a row is not usual. */
const freshSeconds = 5 * 60;
const lateSeconds = 60 * 60;
/** People feel a page that waits for half a second, and give up on seconds. */
const quickMilliseconds = 500;
const slowMilliseconds = 2000;
/** A bigger disk is ordered within a quarter, and mounted within a month. */
const roomyDays = 90;
const tightDays = 30;

const day = 24 * 60 * 60;

/**
 * @param {import("./answers.js").Status} status
 * @returns {Sign}
 */
export function signOf(status) {
  if (status === "healthy") return "good";
  if (status === "degraded") return "look";
  return status === "unhealthy" ? "bad" : "unknown";
}

/**
 * @param {readonly { readonly status: import("./answers.js").Status }[]} checks
 * @returns {Sign}
 */
export function worst(checks) {
  const signs = checks.map(({ status }) => signOf(status));
  if (signs.includes("bad")) return "bad";
  if (signs.includes("look")) return "look";
  return signs.length === 0 || signs.includes("unknown") ? "unknown" : "good";
}

/**
 * @param {import("./answers.js").Health} health
 * @returns {Verdict}
 */
export function overall(health) {
  const sign = signOf(health.status);
  const looks = health.checks.filter(({ status }) => status !== "healthy").map(({ name }) => checkName(name));
  if (sign === "good") return { sign, headline: "All is well", why: "Every check passes." };
  if (sign === "look")
    return {
      sign,
      headline: "Works, but needs a look",
      why: looks.length === 0 ? "See the checks." : `Not as it should be: ${list(looks)}.`,
    };
  return {
    sign,
    headline: "Not healthy",
    why: looks.length === 0 ? "See the checks." : `Failing: ${list(looks)}.`,
  };
}

/**
 * Is data safe: by the administrator's checks of the database where they are known, else by the public ones.
 * @param {import("./answers.js").Health | undefined} health
 * @param {import("./answers.js").Checks | undefined} database
 * @returns {Verdict}
 */
export function safe(health, database) {
  const checks = database?.checks ?? health?.checks.filter(({ name }) => name === "database") ?? [];
  const sign = worst(checks);
  if (sign === "unknown") return unknown("The database's checks are not known.");
  const looks = checks.filter(({ status }) => status !== "healthy").map(({ name }) => checkName(name));
  const which = database === undefined ? "public check" : "check";
  return {
    sign,
    headline: sign === "good" ? "Database is sound" : `${list(looks)}`,
    why:
      sign === "good"
        ? `${plural(checks.length, which)} passed.`
        : `${looks.length} of ${plural(checks.length, which)} not as it should be.`,
  };
}

/**
 * Is data fresh: by the newest row of any table.
 * @param {readonly import("./answers.js").Hypertable[] | undefined} hypertables
 * @param {number} now milliseconds since 1970
 * @returns {Verdict}
 */
export function fresh(hypertables, now) {
  if (hypertables === undefined) return unknown("The newest row is not known.");
  const newest = newestRow(hypertables);
  if (newest === undefined) return unknown("There are no rows yet, or nobody may look.");
  const seconds = (now - (milliseconds(newest.at) ?? now)) / 1000;
  const headline = ago(newest.at, now);
  if (seconds < -freshSeconds)
    return { sign: "look", headline, why: `${newest.name} has a row of the future: a clock is wrong.` };
  if (seconds <= freshSeconds) return { sign: "good", headline, why: `Newest row, in ${newest.name}.` };
  return {
    sign: seconds <= lateSeconds ? "look" : "bad",
    headline,
    why: `Newest row, in ${newest.name}. Expected within ${duration(freshSeconds)}.`,
  };
}

/**
 * @param {readonly import("./answers.js").Hypertable[]} hypertables
 * @returns {{ name: string, at: string } | undefined}
 */
export function newestRow(hypertables) {
  /** @type {{ name: string, at: string } | undefined} */
  let newest;
  for (const { name, newestRow: at } of hypertables) {
    if (at === null || milliseconds(at) === undefined) continue;
    if (newest === undefined || Date.parse(at) > Date.parse(newest.at)) newest = { name, at };
  }
  return newest;
}

/**
 * @template {import("./answers.js").Hypertable} T
 * @param {readonly T[]} hypertables
 */
export function largestFirst(hypertables) {
  return [...hypertables].sort((a, b) => (b.sizeBytes ?? 0) - (a.sizeBytes ?? 0));
}

/**
 * Is it fast: by what this page waited for its own answers, network included.
 * @param {readonly number[]} waited milliseconds each
 * @returns {Verdict}
 */
export function fast(waited) {
  if (waited.length === 0) return unknown("Nothing was asked yet.");
  const sorted = [...waited].sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  return {
    sign: median <= quickMilliseconds ? "good" : median <= slowMilliseconds ? "look" : "bad",
    headline: `Answers in ${duration(median / 1000)}`,
    why: `Median of this page's last ${plural(sorted.length, "request")}.`,
  };
}

/**
 * Is it affordable: by how long the disk lasts, and what compression saves.
 * @param {import("./answers.js").Forecast | undefined} forecast
 * @param {import("./answers.js").Compression | undefined} compression
 * @param {number} now milliseconds since 1970
 * @returns {Verdict}
 */
export function affordable(forecast, compression, now) {
  const size = forecast?.history.at(-1)?.bytes;
  const saved = compression?.totals.savedRatio;
  const why =
    [
      size === undefined ? undefined : `${bytes(size)} stored`,
      saved === undefined || saved === null ? undefined : `compression saves ${percent(saved)}`,
    ]
      .filter((part) => part !== undefined)
      .join(", ") || "Sizes are not known.";
  if (forecast === undefined || forecast.history.length === 0) return unknown(why);
  const full = milliseconds(forecast.fullAt);
  if (full === undefined) {
    // Without the disk's size nobody can say how long it lasts; how much more it will be is known all the same.
    const end = forecast.forecast.at(-1);
    const days = ((milliseconds(end?.at) ?? now) - now) / 1000 / day;
    const headline =
      end === undefined ? "Growth not known" : `${bytes(end.bytes)} in ${plural(Math.round(days), "day")}`;
    return end !== undefined && forecast.volumeBytes
      ? { sign: "good", headline, why: `${why}. The disk has ${bytes(forecast.volumeBytes)}.` }
      : { sign: "unknown", headline, why: `${why}. How large the disk is, is not known.` };
  }
  const days = (full - now) / 1000 / day;
  return {
    sign: days > roomyDays ? "good" : days > tightDays ? "look" : "bad",
    headline: days <= 0 ? "Disk is full" : `Disk full ${ago(forecast.fullAt, now)}`,
    why,
  };
}

/**
 * @param {string} why
 * @returns {Verdict}
 */
export function unknown(why) {
  return { sign: "unknown", headline: signWords.unknown, why };
}

/**
 * @param {import("./answers.js").Job} job
 * @returns {{ sign: Sign, word: string }}
 */
export function jobState(job) {
  const status = job.lastStatus?.toLowerCase();
  if (status?.startsWith("fail")) return { sign: "bad", word: "Failed" };
  if (!job.scheduled) return { sign: "look", word: "Paused" };
  if (status?.startsWith("succe")) return { sign: "good", word: "Succeeded" };
  return { sign: "unknown", word: "Not run yet" };
}

/**
 * Failing first, then paused, then never run, then by name.
 * @template {import("./answers.js").Job} T
 * @param {readonly T[]} jobs
 */
export function worstFirst(jobs) {
  const order = { bad: 0, look: 1, unknown: 2, good: 3 };
  return [...jobs].sort(
    (a, b) =>
      order[jobState(a).sign] - order[jobState(b).sign] || a.name.localeCompare(b.name) || a.id - b.id,
  );
}

/**
 * Names of checks as people write them: "long_transactions" is "long transactions".
 * @param {string} name
 */
export function checkName(name) {
  const known = /** @type {Readonly<Record<string, string>>} */ ({ timescaledb: "TimescaleDB" });
  return known[name] ?? name.replaceAll(/[_-]+/g, " ");
}

/**
 * @param {import("./answers.js").Check} check
 * @returns {string | undefined}
 */
export function checkDetail({ name, detail, value }) {
  if (name === "size" && value !== undefined) return `${bytes(value)} in this database`;
  return detail === "" ? undefined : detail;
}

/**
 * "a, b and c", first letter as it is.
 * @param {readonly string[]} names
 */
export function list(names) {
  return new Intl.ListFormat("en-GB", { type: "conjunction" }).format(names);
}
