import { type Interval, parseInterval } from "../units";

/** For texts the schema has let through and for those in the code: neither can fail to parse. */
export function knownInterval(text: string | undefined): Interval {
  const parsed = parseInterval(text ?? "");
  if (parsed === undefined) throw new Error(`not an interval: ${text}`);
  return parsed;
}
