import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../paths";

const documentPath = join(projectRoot, "docs", "benchmarks.md");

/** Only what stands between the markers: why a goal is missed is written by hand below. */
export function writeIntoDocument(name: string, content: string): void {
  writeFileSync(documentPath, replaceBetweenMarkers(readFileSync(documentPath, "utf8"), name, content));
}

/**
 * Puts a benchmark's table between its markers. What people wrote outside them stays.
 *
 * @throws Error when the document has no markers for it, or not one of each in order
 */
export function replaceBetweenMarkers(document: string, name: string, content: string): string {
  const [start, end] = [`<!-- bench ${name}: begin -->`, `<!-- bench ${name}: end -->`];
  const parts = document.split(start);
  const [before, rest] = parts;
  const behind = rest?.split(end);
  if (parts.length !== 2 || behind?.length !== 2) {
    throw new Error(`the document must have "${start}" and behind it "${end}", once each`);
  }
  return `${before}${start}\n${content}\n${end}${behind[1]}`;
}
