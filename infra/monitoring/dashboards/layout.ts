// Where panels stand in Grafana's grid of 24 columns.
import type { GridPos } from "@grafana/grafana-foundation-sdk/dashboard";

export const columns = 24;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * From left to right, and on the next line where a panel does not fit any more. A line is as high as its highest panel.
 *
 * @param top where the first line begins
 * @returns a place for each size, and where what follows begins
 */
export function layOut(sizes: readonly Size[], top: number): { places: GridPos[]; bottom: number } {
  const places: GridPos[] = [];
  let line = { x: 0, y: top, height: 0 };
  for (const { width, height } of sizes) {
    if (width > columns) throw new Error(`a panel of ${width} columns does not fit into ${columns}`);
    if (line.x + width > columns) line = { x: 0, y: line.y + line.height, height: 0 };
    places.push({ x: line.x, y: line.y, w: width, h: height });
    line = { x: line.x + width, y: line.y, height: Math.max(line.height, height) };
  }
  return { places, bottom: line.y + line.height };
}
