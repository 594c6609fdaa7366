// Chunks along time: where each bar stands. Pure.
import { milliseconds } from "./format.js";

/** A bar that is thinner cannot be seen, of the width of the whole. */
const thinnest = 0.002;
/** A chunk that is almost empty is still there. */
const lowest = 0.06;

/**
 * @typedef {object} Bar
 * @property {import("./answers.js").Chunk} chunk
 * @property {number} left of the width, 0 to 1
 * @property {number} width of the width, 0 to 1
 * @property {number} height of the largest chunk's, 0 to 1
 */

/**
 * @param {readonly import("./answers.js").Chunk[]} chunks
 * @returns {{ bars: Bar[], from: string, to: string } | undefined} undefined: nothing to draw
 */
export function timeline(chunks) {
  const placed = chunks.flatMap((chunk) => {
    const from = milliseconds(chunk.from);
    const to = milliseconds(chunk.to);
    return from === undefined || to === undefined || to <= from ? [] : [{ chunk, from, to }];
  });
  if (placed.length === 0) return undefined;
  const begin = placed.reduce((least, { from }) => Math.min(least, from), Number.POSITIVE_INFINITY);
  const end = placed.reduce((most, { to }) => Math.max(most, to), Number.NEGATIVE_INFINITY);
  const largest = placed.reduce((most, { chunk }) => Math.max(most, chunk.sizeBytes ?? 0), 1);
  return {
    bars: placed.map(({ chunk, from, to }) => ({
      chunk,
      left: (from - begin) / (end - begin),
      width: Math.max(thinnest, (to - from) / (end - begin)),
      height: Math.max(lowest, (chunk.sizeBytes ?? 0) / largest),
    })),
    from: new Date(begin).toISOString(),
    to: new Date(end).toISOString(),
  };
}
