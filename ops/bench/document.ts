import type { BenchName } from "./report";

/**
 * Puts a benchmark's table between its markers. What people wrote outside them stays.
 *
 * @throws Error when the document has no markers for it, or not one of each in order
 */
export function replaceBetweenMarkers(document: string, name: BenchName, content: string): string {
  const [start, end] = [`<!-- bench ${name}: begin -->`, `<!-- bench ${name}: end -->`];
  const parts = document.split(start);
  const [before, rest] = parts;
  const behind = rest?.split(end);
  if (parts.length !== 2 || behind?.length !== 2) {
    throw new Error(`the document must have "${start}" and behind it "${end}", once each`);
  }
  return `${before}${start}\n${content}\n${end}${behind[1]}`;
}
