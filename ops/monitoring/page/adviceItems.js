// Both kinds of advice as one kind of list. Pure.
import { duration, sentenceCase } from "./format.js";

/**
 * @typedef {object} Advised
 * @property {string} hypertable
 * @property {import("./verdicts.js").Sign} sign
 * @property {string} headline
 * @property {readonly string[]} why
 * @property {string | undefined} setting what to write into the configuration
 */

/**
 * @param {import("./answers.js").ColumnstoreAdvice} answer
 * @returns {Advised[]} what should change first
 */
export function columnstoreItems({ hypertables }) {
  return changesFirst(hypertables.flatMap(columnstoreItemsOf));
}

/**
 * @param {import("./answers.js").ColumnstoreAdvice["hypertables"][number]} hypertable
 * @returns {Advised[]}
 */
function columnstoreItemsOf({ name: hypertable, advice }) {
  if (advice.length === 0)
    return [{ hypertable, sign: "good", headline: "As it should be", why: [], setting: undefined }];
  return advice.map(({ severity, reason, key, value }) => ({
    hypertable,
    sign: severity === "warning" ? "look" : "unknown",
    headline: severity === "warning" ? "Should change" : "Could be better",
    why: [sentenceCase(reason)],
    setting: setting(key, value),
  }));
}

/**
 * @param {import("./answers.js").ChunkIntervalAdvice} answer
 * @returns {Advised[]} what should change first
 */
export function chunkIntervalItems({ hypertables }) {
  return changesFirst(hypertables.map(chunkIntervalItemOf));
}

/**
 * @param {import("./answers.js").ChunkIntervalAdvice["hypertables"][number]} hypertable
 * @returns {Advised}
 */
function chunkIntervalItemOf({ name, chunkIntervalSeconds, advisedSeconds, why, key, value }) {
  const now = duration(chunkIntervalSeconds);
  const common = { hypertable: name, why: why.map(sentenceCase), setting: setting(key, value) };
  if (advisedSeconds === null) return { ...common, sign: "unknown", headline: `${now}; too few rows to say` };
  if (key === null) return { ...common, sign: "good", headline: `Leave it at ${now}` };
  return { ...common, sign: "look", headline: `${duration(advisedSeconds)} instead of ${now}` };
}

/**
 * As it is written in the configuration.
 * @param {string | null} key
 * @param {string | boolean | readonly string[] | null} value
 */
function setting(key, value) {
  if (key === null) return undefined;
  return value === null ? key : `${key}: ${typeof value === "object" ? `[${value.join(", ")}]` : value}`;
}

/** @param {Advised[]} items */
function changesFirst(items) {
  const order = { bad: 0, look: 1, unknown: 2, good: 3 };
  return items.sort((a, b) => order[a.sign] - order[b.sign]);
}
