// How wide the buckets of a chart are, and where they are read from. Pure.

/** Where samples are kept, from the finest level to the coarsest. */
export interface Level<Name extends string = string> {
  readonly name: Name;
  /** Width of its rows; 0 for samples as they came. */
  readonly bucketSeconds: number;
  /** Before this, rows may have been dropped; undefined: nothing ever is. */
  readonly keptSince: Date | undefined;
}

export interface Resolution<Name extends string = string> {
  readonly level: Name;
  readonly bucketSeconds: number;
}

/** Widths a person can read off an axis; each divides a later one's days, hours or minutes evenly. */
const widths = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800,
  604_800, 1_209_600, 2_592_000, 5_184_000, 15_552_000, 31_536_000,
];

/**
 * The narrowest bucket of which no more than `points` fit into the range, read from the coarsest level that still
 * shows it exactly. Where that level has lost the start of the range, the next coarser one that has it is taken, with
 * its own bucket when that is wider.
 *
 * @param levels at least one
 */
export function chooseResolution<Name extends string>(
  range: { readonly from: Date; readonly to: Date },
  points: number,
  levels: readonly Level<Name>[],
): Resolution<Name> {
  // One less: where the range does not begin at a border, it touches one bucket more.
  const wanted = (range.to.getTime() - range.from.getTime()) / 1_000 / Math.max(1, points - 1);
  const width = widths.find((one) => one >= wanted) ?? Math.ceil(wanted / 86_400) * 86_400;
  const divides = ({ bucketSeconds }: Level) => bucketSeconds === 0 || width % bucketSeconds === 0;
  const whole = ({ keptSince }: Level) => keptSince === undefined || keptSince <= range.from;
  const finest = levels[0];
  if (finest === undefined) throw new RangeError("there must be a level to read from");
  const exact = levels.findLast((level) => divides(level) && level.bucketSeconds <= width) ?? finest;
  const candidates = levels.slice(levels.indexOf(exact));
  const level = candidates.find(whole) ?? candidates.at(-1) ?? exact;
  return { level: level.name, bucketSeconds: Math.max(width, level.bucketSeconds) };
}
