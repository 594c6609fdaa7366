import { interval } from "../../units";

/** Seconds as the database reports them, written the way the config writes an interval. */
export function intervalSeconds(seconds: number): string {
  return interval(seconds).text;
}
