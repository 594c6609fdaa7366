// Where a page of chunks ended, as a text that clients hand back as it is.
import { z } from "zod";

export interface Cursor {
  /** Start of the last chunk's range, as PostgreSQL writes it: with microseconds, which a Date would lose. */
  readonly from: string;
  readonly chunk: string;
}

const shape = z.tuple([
  z.string().regex(/^\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00( BC)?$/),
  z.string().min(1).max(63),
]);

export function writeCursor({ from, chunk }: Cursor): string {
  return Buffer.from(JSON.stringify([from, chunk])).toString("base64url");
}

/** @returns undefined for what writeCursor did not write */
export function readCursor(text: string): Cursor | undefined {
  try {
    const [from, chunk] = shape.parse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
    return { from, chunk };
  } catch {
    return undefined;
  }
}
