import { z } from "zod";
import { parseInterval } from "../../../infra/units";

const units: Readonly<Record<string, string>> = { d: "days", h: "hours", m: "minutes" };

/** "60d", "60 days", "12h"; becomes seconds. */
export const age = z
  .string()
  .max(40)
  .transform((text, context) => {
    const words = text.replace(
      /^\s*(\d+)\s*([dhm])\s*$/i,
      (_, count: string, unit: string) => `${count} ${units[unit.toLowerCase()]}`,
    );
    const parsed = parseInterval(words);
    if (parsed !== undefined) return parsed.seconds;
    context.addIssue({ code: "custom", message: 'a whole number and a unit, e.g. "60d" or "60 days"' });
    return z.NEVER;
  });
