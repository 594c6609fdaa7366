// Numbers and moments in the words people use. Pure: the page's language and the browser's time zone, no document.

/** The page is in English; day before month's name can be misread by nobody. */
const language = "en-GB";
/** Stands where there is no value. */
export const nothing = "–";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Largest first. A month and a year are of the mean length: good enough for "3 months ago". */
const spans = /** @type {const} */ ([
  ["year", 365.25 * day],
  ["month", 30.4375 * day],
  ["day", day],
  ["hour", hour],
  ["minute", minute],
  ["second", 1],
]);

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Between a number and its unit: they stay on one line. */
const space = "\u00a0";

const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const threeDigits = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
const fourDigits = new Intl.NumberFormat(language, { maximumSignificantDigits: 4 });
const inWords = new Intl.RelativeTimeFormat(language, { numeric: "always" });

/**
 * @param {number | null | undefined} count
 * @returns {count is number}
 */
function known(count) {
  return typeof count === "number" && Number.isFinite(count);
}

/**
 * "1.46 GiB": powers of 1024.
 * @param {number | null | undefined} count
 */
export function bytes(count) {
  if (!known(count)) return nothing;
  let unit = 0;
  let rest = count;
  // 1,023.5 would be written "1,020" with three digits: it belongs to the next unit.
  while (Math.abs(rest) >= 1000 && unit < byteUnits.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${threeDigits.format(rest)}${space}${byteUnits[unit]}`;
}

/**
 * "91.2 %"; never "100 %" for less than all, never "0 %" for more than nothing.
 * @param {number | null | undefined} ratio 0 to 1
 */
export function percent(ratio) {
  if (!known(ratio)) return nothing;
  const rounded = Math.round(ratio * 1000) / 10;
  if (rounded === 100 && ratio < 1) return `>${space}99.9${space}%`;
  if (rounded === 0 && ratio > 0) return `<${space}0.1${space}%`;
  return `${rounded === 100 ? "100" : oneDecimal.format(rounded)}${space}%`;
}

/**
 * "1,234,567"
 * @param {number | null | undefined} number
 */
export function count(number) {
  return known(number) ? whole.format(number) : nothing;
}

/**
 * "60.5 million": the rows of a hypertable are an estimate, more digits would only pretend.
 * @param {number | null | undefined} number
 */
export function roughCount(number) {
  if (!known(number)) return nothing;
  for (const [word, size] of /** @type {const} */ ([
    ["billion", 1e9],
    ["million", 1e6],
  ])) {
    if (Math.abs(number) >= size) return `${threeDigits.format(number / size)}${space}${word}`;
  }
  return whole.format(number);
}

/**
 * A measured value: "36.59 °C".
 * @param {number | null | undefined} number
 * @param {string} unit may be empty
 */
export function measured(number, unit) {
  if (!known(number)) return nothing;
  return unit === "" ? fourDigits.format(number) : `${fourDigits.format(number)}${space}${unit}`;
}

/**
 * "2 days 6 hours", "45 seconds", "120 ms": the two largest units that are not zero.
 * @param {number | null | undefined} seconds
 */
export function duration(seconds) {
  if (!known(seconds)) return nothing;
  if (seconds < 1) return `${whole.format(Math.max(0, seconds) * 1000)}${space}ms`;
  if (seconds < 10) return plural(Math.round(seconds * 10) / 10, "second");
  // Nobody reads a chunk's interval in months: days are what is configured.
  const units = spans.slice(2);
  const first = Math.max(
    0,
    units.findIndex(([, size]) => seconds >= size),
  );
  const [name, size] = units[first] ?? ["second", 1];
  const [nextName, nextSize] = units[first + 1] ?? ["second", 1];
  const rounded = Math.round(seconds / nextSize) * nextSize;
  const larger = units[first - 1];
  // 23 hours, 59 minutes and 59 seconds are a day when minutes are enough.
  if (larger !== undefined && rounded >= larger[1]) return plural(1, larger[0]);
  const many = Math.floor(rounded / size);
  const rest = Math.round((rounded - many * size) / nextSize);
  return rest === 0 ? plural(many, name) : `${plural(many, name)} ${plural(rest, nextName)}`;
}

/**
 * @param {number} number
 * @param {string} noun
 */
export function plural(number, noun) {
  return `${fourDigits.format(number)}${space}${noun}${number === 1 ? "" : "s"}`;
}

/**
 * What the API says in the middle of a sentence, as one.
 * @param {string} words
 */
export function sentenceCase(words) {
  const begun = words.charAt(0).toUpperCase() + words.slice(1);
  return words === "" || /[.!?]$/.test(words) ? begun : `${begun}.`;
}

/**
 * "3 minutes ago", "in 2 days", "just now".
 * @param {string | null | undefined} at
 * @param {number} now milliseconds since 1970
 */
export function ago(at, now) {
  const moment = milliseconds(at);
  if (moment === undefined) return nothing;
  const seconds = (moment - now) / 1000;
  if (Math.abs(seconds) < 5) return "just now";
  for (const [name, size] of spans) {
    // Rounded down: "2 days ago" is at least two days ago.
    if (Math.abs(seconds) >= size) return inWords.format(Math.trunc(seconds / size), name);
  }
  return "just now";
}

/**
 * "12 May 2025, 14:03", in the browser's zone or the one given.
 * @param {string | null | undefined} at
 * @param {string} [timeZone]
 */
export function localTime(at, timeZone) {
  const moment = milliseconds(at);
  if (moment === undefined) return nothing;
  return new Intl.DateTimeFormat(language, {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZone,
  }).format(moment);
}

/**
 * "2025-05-12 12:03:07 UTC"
 * @param {string | null | undefined} at
 */
export function utcTime(at) {
  const moment = milliseconds(at);
  if (moment === undefined) return nothing;
  return `${new Date(moment).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/**
 * Below a chart: "14:00", at midnight "12 May"; "12 May"; "May 2025", as far as the ticks are apart.
 * @param {readonly number[]} ticks seconds since 1970
 * @param {number} apart seconds
 * @param {string} [timeZone]
 */
export function tickLabels(ticks, apart, timeZone) {
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", timeZone });
  const date = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone });
  const month = new Intl.DateTimeFormat(language, { month: "short", year: "numeric", timeZone });
  return ticks.map((tick) => {
    const moment = tick * 1000;
    if (apart >= 28 * day) return month.format(moment);
    if (apart >= day) return date.format(moment);
    const time = clock.format(moment);
    return time === "00:00" ? date.format(moment) : time;
  });
}

/**
 * @param {string | null | undefined} at
 * @returns {number | undefined} since 1970; undefined where it is no moment
 */
export function milliseconds(at) {
  if (at === null || at === undefined) return undefined;
  const moment = Date.parse(at);
  return Number.isNaN(moment) ? undefined : moment;
}
