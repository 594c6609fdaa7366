/** The few statistics advice is made of. All throw RangeError on nothing at all. */

export function mean(values: readonly number[]): number {
  requireSome(values);
  return values.reduce((total, value) => total + value, 0) / values.length;
}

export function median(values: readonly number[]): number {
  requireSome(values);
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Of the values there are, not of what they are a sample of. */
export function standardDeviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
}

function requireSome(values: readonly number[]): void {
  if (values.length === 0) throw new RangeError("no values");
}
