// Answers as the columns that a chart draws. Pure.
//
// In a column, null is a gap that breaks the line, undefined is a row of another column that the line passes by.
import { localTime, measured, milliseconds, percent } from "./format.js";

/** @typedef {(number | null | undefined)[]} Column */

/** A bucket that is missing makes a gap; half of one more is a clock's slack. */
const gapFactor = 1.5;

/**
 * @typedef {object} TelemetryColumns
 * @property {number[]} at seconds since 1970, rising
 * @property {Column} avg
 * @property {Column} min
 * @property {Column} max
 * @property {Column} anomaly
 */

/**
 * Buckets and anomalies on one time axis, with a gap where buckets are missing.
 * @param {import("./answers.js").Telemetry} telemetry
 * @param {readonly import("./answers.js").Anomaly[]} anomalies
 * @returns {TelemetryColumns}
 */
export function telemetryColumns(telemetry, anomalies) {
  /** @type {Map<number, { bucket?: import("./answers.js").TelemetryPoint | null, anomaly?: number }>} */
  const rows = new Map();
  let last = Number.POSITIVE_INFINITY;
  for (const bucket of telemetry.points) {
    const at = seconds(bucket.at);
    if (at === undefined) continue;
    if (at - last > telemetry.bucketSeconds * gapFactor)
      rows.set(last + telemetry.bucketSeconds, { bucket: null });
    rows.set(at, { bucket });
    last = at;
  }
  for (const { at, value } of anomalies) {
    const moment = seconds(at);
    if (moment !== undefined) rows.set(moment, { ...rows.get(moment), anomaly: value });
  }
  const sorted = [...rows].sort(([a], [b]) => a - b);
  /** @param {"avg" | "min" | "max"} name */
  const column = (name) =>
    sorted.map(([, { bucket }]) => (bucket === undefined ? undefined : (bucket?.[name] ?? null)));
  return {
    at: sorted.map(([at]) => at),
    avg: column("avg"),
    min: column("min"),
    max: column("max"),
    anomaly: sorted.map(([, { anomaly }]) => anomaly),
  };
}

/**
 * The anomalies within each bucket: what the table says beside it.
 * @param {import("./answers.js").Telemetry} telemetry
 * @param {readonly import("./answers.js").Anomaly[]} anomalies
 * @returns {import("./answers.js").Anomaly[][]} one list for each point
 */
export function anomaliesByBucket(telemetry, anomalies) {
  const begins = telemetry.points.map(({ at }) => seconds(at) ?? Number.NaN);
  /** @type {import("./answers.js").Anomaly[][]} */
  const lists = begins.map(() => []);
  for (const anomaly of anomalies) {
    const at = seconds(anomaly.at);
    if (at === undefined) continue;
    const bucket = begins.findLastIndex((begin) => begin <= at && at < begin + telemetry.bucketSeconds);
    lists[bucket]?.push(anomaly);
  }
  return lists;
}

/**
 * One machine's OEE against the mean of all, by hour.
 * @param {import("./answers.js").Oee} oee
 * @param {number | string | undefined} machine
 * @returns {{ at: number[], chosen: Column, mean: Column }}
 */
export function oeeColumns(oee, machine) {
  /** @type {Map<number, { chosen: number | null, all: number[] }>} */
  const rows = new Map();
  for (const series of oee.series) {
    for (const point of series.points) {
      const at = seconds(point.at);
      if (at === undefined) continue;
      const row = rows.get(at) ?? { chosen: null, all: [] };
      if (point.oee !== null) row.all.push(point.oee);
      if (String(series.machine) === String(machine)) row.chosen = point.oee;
      rows.set(at, row);
    }
  }
  const sorted = [...rows].sort(([a], [b]) => a - b);
  return {
    at: sorted.map(([at]) => at),
    chosen: sorted.map(([, { chosen }]) => chosen),
    mean: sorted.map(([, { all }]) =>
      all.length === 0 ? null : all.reduce((sum, value) => sum + value, 0) / all.length,
    ),
  };
}

/**
 * What was stored and what is to be expected. The forecast begins where history ends, so that the line is one.
 * @param {import("./answers.js").Forecast} answer
 * @returns {{ at: number[], history: Column, forecast: Column, low: Column, high: Column }}
 */
export function forecastColumns(answer) {
  const history = answer.history.flatMap(({ at, bytes }) => {
    const moment = seconds(at);
    return moment === undefined ? [] : [{ at: moment, bytes }];
  });
  const last = history.at(-1);
  const ahead = answer.forecast.flatMap(({ at, bytes, low, high }) => {
    const moment = seconds(at);
    return moment === undefined || (last !== undefined && moment <= last.at)
      ? []
      : [{ at: moment, bytes, low, high }];
  });
  const joint = last !== undefined && ahead.length > 0 ? last.bytes : null;
  /** @type {(value: number | null) => Column} */
  const past = (value) => history.map((_, index) => (index === history.length - 1 ? value : null));
  return {
    at: [...history.map(({ at }) => at), ...ahead.map(({ at }) => at)],
    history: [...history.map(({ bytes }) => bytes), ...ahead.map(() => null)],
    forecast: [...past(joint), ...ahead.map(({ bytes }) => bytes)],
    low: [...past(joint), ...ahead.map(({ low }) => low)],
    high: [...past(joint), ...ahead.map(({ high }) => high)],
  };
}

/**
 * Rows that have a value and no neighbour with one: a line does not show them, a dot must.
 * @param {Column} column
 */
export function isolated(column) {
  const present = column.flatMap((value, index) => (value === undefined ? [] : [index]));
  return present.filter(
    (index, place) =>
      typeof column[index] === "number" &&
      typeof column[present[place - 1] ?? -1] !== "number" &&
      typeof column[present[place + 1] ?? -1] !== "number",
  );
}

/**
 * The chart in a sentence, for those who don't see it.
 * @param {import("./answers.js").Telemetry} telemetry
 * @param {readonly import("./answers.js").Anomaly[]} anomalies
 */
export function telemetrySummary(telemetry, anomalies) {
  const { points, unit } = telemetry;
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return "No values.";
  const lows = points.flatMap(({ min }) => min ?? []);
  const highs = points.flatMap(({ max }) => max ?? []);
  const range =
    lows.length === 0
      ? "without values"
      : `between ${measured(least(lows), unit)} and ${measured(most(highs), unit)}, at the end ${measured(last.avg, unit)}`;
  return `${localTime(first.at)} to ${localTime(last.at)}: ${range}. ${anomalyCount(anomalies.length)}.`;
}

/**
 * @param {number} number
 */
export function anomalyCount(number) {
  if (number === 0) return "No anomalies";
  return number === 1 ? "1 anomaly" : `${number} anomalies`;
}

/**
 * @param {{ at: number[], chosen: Column, mean: Column }} columns
 */
export function oeeSummary({ chosen }) {
  const values = chosen.filter((value) => typeof value === "number");
  if (values.length === 0) return "No values.";
  return `Hourly, between ${percent(least(values))} and ${percent(most(values))}, at the end ${percent(values.at(-1))}.`;
}

/** Math.min takes its arguments from the stack, which a year of hours could fill. @param {readonly number[]} values */
function least(values) {
  return values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}

/** @param {readonly number[]} values */
function most(values) {
  return values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}

/** @param {string} at */
function seconds(at) {
  const moment = milliseconds(at);
  return moment === undefined ? undefined : moment / 1000;
}
