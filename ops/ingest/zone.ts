import { UserError } from "../../infra/errors";

const hour = 3_600_000_000;
const day = 24 * hour;
/** Days whose offset is remembered; 20,000 are 54 years. */
const rememberedDays = 20_000;

/** Turns local wall-clock time into UTC. All times are microseconds, local ones counted as if they were UTC. */
export interface Zone {
  readonly name: string;
  /** @returns UTC, or the reason why this local time is no single instant. */
  toUtc(local: number): number | string;
}

export const utc: Zone = { name: "UTC", toUtc: (local) => local };

/**
 * A time zone by IANA name (`Europe/Berlin`) or fixed offset (`+02:00`).
 *
 * When clocks are set forward an hour of local time does not exist, when they are set back one happens twice. Both are
 * refused: guessing would put half of the repeated hour an hour off, onto the keys of the other half, where it would
 * then vanish as "duplicates". The refused records can be read again with a fixed offset.
 *
 * @throws UserError for a name that this runtime does not know.
 */
export function createZone(name: string): Zone {
  if (/^(utc|etc\/utc|z)$/i.test(name)) return utc;
  const offsetAt = offsetLookup(name);
  const steadyDays = new Map<number, number | undefined>();

  /** The one offset of a local day, or undefined when it changes on that day or the ones beside it. */
  function steadyOffset(dayStart: number): number | undefined {
    if (steadyDays.has(dayStart)) return steadyDays.get(dayStart);
    const offset = offsetAt(dayStart + day / 2);
    const steady = offsetAt(dayStart - day) === offset && offsetAt(dayStart + 2 * day) === offset;
    if (steadyDays.size >= rememberedDays) steadyDays.clear();
    steadyDays.set(dayStart, steady ? offset : undefined);
    return steady ? offset : undefined;
  }

  return {
    name,
    toUtc(local) {
      const steady = steadyOffset(Math.floor(local / day) * day);
      if (steady !== undefined) return local - steady;
      const candidates = [...new Set([offsetAt(local - day), offsetAt(local + day)])]
        .map((offset) => ({ instant: local - offset, offset }))
        .filter(({ instant, offset }) => offsetAt(instant) === offset);
      const [only, second] = candidates;
      if (only === undefined)
        return `this local time does not exist in ${name}: clocks are set forward over it`;
      if (second !== undefined)
        return `this local time happens twice in ${name}: clocks are set back over it`;
      return only.instant;
    },
  };
}

/** Microseconds that a zone is ahead of UTC at a UTC instant. */
function offsetLookup(name: string): (instant: number) => number {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  } catch (error) {
    throw new UserError(`unknown time zone ${JSON.stringify(name)}`, {
      fix: "give an IANA name such as Europe/Berlin, or an offset such as +02:00",
      cause: error,
    });
  }
  return (instant) => {
    const part = format.formatToParts(instant / 1000).find(({ type }) => type === "timeZoneName");
    const match = /([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(part?.value ?? "");
    if (match === null) return 0;
    const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
    return (match[1] === "-" ? -1 : 1) * seconds * 1_000_000;
  };
}
