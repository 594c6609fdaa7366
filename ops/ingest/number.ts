/** `either`: the head of the file holds no decimal mark at all, so both are taken. */
export type DecimalMark = "." | "," | "either";

const shapes: Record<DecimalMark, RegExp> = {
  ".": /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/,
  ",": /^[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d{1,4})?$/,
  either: /^[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d{1,4})?$/,
};
const notANumber = /^[+-]?(?:nan|inf|infinity)$/i;

/** True for what a sensor export writes in place of a number that it could not measure. */
export function isNanOrInfinity(text: string): boolean {
  return notANumber.test(text);
}

/**
 * Reads a sample value as the nearest `real` (IEEE single). Plain decimal notation only: no grouping of thousands, no
 * hexadecimal, nothing behind the digits. Values too small for a `real` become 0.
 *
 * @returns the number, or the reason why the text is none.
 */
export function parseReal(text: string, mark: DecimalMark): number | string {
  if (!shapes[mark].test(text)) {
    if (isNanOrInfinity(text)) return `${text} is not a measured value`;
    const foreign = mark === "," ? "." : ",";
    if (mark !== "either" && shapes[foreign].test(text))
      return `${text} has a "${foreign}" where the file's decimal mark is "${mark}"`;
    return `${text} is not a number`;
  }
  const value = Math.fround(Number(mark === "." ? text : text.replace(",", ".")));
  return Number.isFinite(value) ? value : `${text} is too large for a real`;
}

/**
 * Finds the decimal mark from sample cells. A comma can only be one where it does not separate fields. Where both
 * occur the more frequent one wins and the other is rejected row by row: one of them groups thousands, and a value a
 * thousand times too small must not pass silently.
 */
export function detectDecimalMark(cells: Iterable<string>, delimiter: string): DecimalMark {
  if (delimiter === ",") return ".";
  let points = 0;
  let commas = 0;
  for (const cell of cells) {
    if (/^[+-]?\d+\.\d+/.test(cell)) points += 1;
    else if (/^[+-]?\d+,\d+/.test(cell)) commas += 1;
  }
  if (points === 0 && commas === 0) return "either";
  return commas > points ? "," : ".";
}
