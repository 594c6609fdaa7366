// From when to when a client asks.
import { z } from "zod";
import { Problem } from "./problem";

export interface Range {
  readonly from: Date;
  readonly to: Date;
}

/** Years in which a factory's telemetry can lie: others are mistakes, and some cannot be written in four digits. */
const sane = z.iso
  .datetime({ offset: true })
  .refine((text) => {
    const year = new Date(text).getUTCFullYear();
    return year >= 1970 && year <= 2200;
  }, "must lie between 1970 and 2200")
  .describe("ISO 8601 with Z or an offset");

export const rangeParameters = { from: sane.optional(), to: sane.optional() };

const dayMs = 86_400_000;

/**
 * What `from` and `to` mean: the end is the newest there is when it is not given, and the start lies `defaultDays`
 * before it.
 *
 * @throws Problem 400 for an empty or too long range
 */
export function resolveRange(
  given: { readonly from?: string | undefined; readonly to?: string | undefined },
  newest: Date,
  limits: { readonly defaultDays: number; readonly mostDays: number },
): Range {
  const to = given.to === undefined ? newest : new Date(given.to);
  const from =
    given.from === undefined ? new Date(to.getTime() - limits.defaultDays * dayMs) : new Date(given.from);
  if (from >= to) throw new Problem(400, 'parameter "from" must lie before "to"');
  if (to.getTime() - from.getTime() > limits.mostDays * dayMs) {
    throw new Problem(400, `parameters "from" and "to": at most ${limits.mostDays} days`);
  }
  return { from, to };
}
