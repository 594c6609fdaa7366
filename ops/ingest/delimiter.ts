import { splitFields } from "./fields";

/** In order of preference: the rarer a character is inside names and numbers, the surer it separates. */
const candidates = ["\t", ";", "|", ","] as const;

/** How many lines below the header must have as many fields as it, for a delimiter to be believed. */
const share = 0.5;

/**
 * Finds the character that separates fields: the preferred one that splits the header into at least two fields and
 * most of the sample lines into as many.
 *
 * @returns undefined when none does.
 */
export function detectDelimiter(header: string, samples: readonly string[]): string | undefined {
  return candidates.find((delimiter) => {
    const fields = splitFields(header, delimiter)?.length ?? 0;
    if (fields < 2) return false;
    const fitting = samples.filter((line) => splitFields(line, delimiter)?.length === fields).length;
    return fitting >= samples.length * share;
  });
}
