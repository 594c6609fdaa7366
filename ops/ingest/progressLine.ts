import { basename } from "node:path";
import type { FileProgress } from "./ingestFile";

/** `valve1-0.csv  45 %  120,000 rows  82,000 rows/s`; `seconds` is how long this file has taken so far. */
export function progressLine(progress: FileProgress, seconds: number): string {
  const percent = Math.floor((100 * progress.bytes) / progress.totalBytes);
  const speed = seconds > 0 ? Math.round(progress.rows / seconds) : 0;
  return `${basename(progress.file)}  ${percent} %  ${grouped(progress.rows)} rows  ${grouped(speed)} rows/s`;
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
