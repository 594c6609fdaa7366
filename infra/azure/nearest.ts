/**
 * What was probably meant: those of the candidates that the fewest typing mistakes make into the text. One of which it is
 * the beginning is one mistake away.
 *
 * @param count how many of them
 */
export function nearest(text: string, candidates: Iterable<string>, count = 3): string[] {
  return [...candidates]
    .map((candidate) => ({
      candidate,
      mistakes: mistakes(text.toLowerCase(), candidate.toLowerCase()),
    }))
    .sort((one, other) => one.mistakes - other.mistakes || one.candidate.localeCompare(other.candidate))
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

function mistakes(text: string, candidate: string): number {
  if (text === candidate) return 0;
  return text !== "" && candidate.startsWith(text) ? 1 : mistakesBetween(text, candidate);
}

/** Levenshtein's distance: characters added, left out or replaced. */
function mistakesBetween(one: string, other: string): number {
  let before = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [row, character] of [...one].entries()) {
    const now = [row + 1];
    for (const [column, wanted] of [...other].entries()) {
      const replaced = at(before, column) + (character === wanted ? 0 : 1);
      now.push(Math.min(replaced, at(before, column + 1) + 1, at(now, column) + 1));
    }
    before = now;
  }
  return at(before, other.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
