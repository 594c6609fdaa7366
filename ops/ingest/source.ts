import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream";
import { TextDecoder } from "node:util";
import { createGunzip } from "node:zlib";
import type { UserError } from "../../infra/errors";
import { refused } from "./layout";

/** A file that was read once from end to end and is text. */
export interface SourceFile {
  readonly path: string;
  /** Size when it was looked at; what is appended later belongs to the next ingest. */
  readonly bytes: number;
  readonly gzip: boolean;
  /** Of the file's bytes as they lie on disk. */
  readonly sha256: string;
  /** The first lines, without an incomplete last one. */
  readonly head: readonly string[];
}

const headCharacters = 1 << 17;
const chunkBytes = 1 << 16;
const gzipMagic = [0x1f, 0x8b];

/** Beginnings of files that people hand over in place of a CSV. */
const foreign: readonly { readonly magic: readonly number[]; readonly what: string }[] = [
  { magic: [0x50, 0x4b, 0x03, 0x04], what: "is a ZIP archive or an Excel workbook" },
  { magic: [0x50, 0x41, 0x52, 0x31], what: "is a Parquet file" },
  { magic: [0xd0, 0xcf, 0x11, 0xe0], what: "is an old Excel workbook" },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], what: "is compressed with zstd" },
  { magic: [0x42, 0x5a, 0x68], what: "is compressed with bzip2" },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], what: "is compressed with xz" },
];

/**
 * Reads a file once through: proves that it can be unpacked and is UTF-8 text, and fingerprints it. Doing so first
 * costs seconds for gigabytes, and means that a damaged file is refused before any of it is in the database.
 *
 * @throws UserError when the file is missing, empty, damaged, binary or of another encoding.
 */
export async function inspectFile(path: string, signal?: AbortSignal): Promise<SourceFile> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw refused(
      path,
      error.code === "ENOENT" ? "does not exist" : `cannot be read: ${error.message}`,
      "check the path",
    );
  });
  if (!info.isFile()) throw refused(path, "is not a file", "name the files themselves, e.g. data/*.csv");
  if (info.size === 0) throw refused(path, "is empty", "export it again");
  const start = await firstBytes(path);
  const gzip = startsWith(start, gzipMagic);
  const partial = { path, bytes: info.size, gzip };

  const hash = createHash("sha256");
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let head = "";
  let decoded = 0;
  for await (const chunk of bytesOf(partial, (raw) => hash.update(raw))) {
    signal?.throwIfAborted();
    if (decoded === 0) refuseForeign(chunk, path);
    decoded += chunk.length;
    const text = decode(decoder, chunk);
    if (text === undefined) throw await wrongEncoding(partial);
    if (head.length < headCharacters) head += text;
  }
  if (decode(decoder, undefined) === undefined) throw await wrongEncoding(partial);
  const whole = head.length < headCharacters;
  const lines = head.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  if (!whole) lines.pop();
  if (lines.some((line) => line.includes("\r")) && lines.length <= 2)
    throw refused(path, "ends its lines with CR alone", "save it with LF or CRLF line ends");
  return { ...partial, sha256: hash.digest("hex"), head: lines };
}

/** The text of an inspected file in chunks. `position` tells how many of the file's bytes have been read. */
export function readText(file: SourceFile): { chunks: AsyncGenerator<string>; position(): number } {
  let position = 0;
  async function* chunks(): AsyncGenerator<string> {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    for await (const chunk of bytesOf(file, (raw) => {
      position += raw.length;
    }))
      yield decoder.decode(chunk, { stream: true });
    if (!file.gzip && position < file.bytes)
      throw refused(
        file.path,
        "became shorter while it was read",
        "run the same command again when nothing writes to it",
      );
  }
  return { chunks: chunks(), position: () => position };
}

/** Unpacked bytes; `onRaw` sees them as they lie on disk. */
async function* bytesOf(
  file: Pick<SourceFile, "path" | "bytes" | "gzip">,
  onRaw?: (chunk: Buffer) => void,
): AsyncGenerator<Buffer> {
  async function* raw(): AsyncGenerator<Buffer> {
    const stream: AsyncIterable<Buffer> = createReadStream(file.path, {
      end: file.bytes - 1,
      highWaterMark: chunkBytes,
    });
    for await (const chunk of stream) {
      onRaw?.(chunk);
      yield chunk;
    }
  }
  // Errors of `raw` reach the loop through `gunzip`, and leaving the loop early closes both.
  const unpacked: AsyncIterable<Buffer> = file.gzip
    ? pipeline(raw, createGunzip({ chunkSize: chunkBytes }), () => undefined)
    : raw();
  try {
    yield* unpacked;
  } catch (error) {
    if (!(error as NodeJS.ErrnoException).code?.startsWith("Z_")) throw unreadable(file.path, error);
    throw refused(
      file.path,
      `is a damaged gzip file: ${(error as Error).message}`,
      "copy or export it again; `gzip -t` must accept it",
    );
  }
}

function unreadable(path: string, error: unknown): UserError {
  return refused(
    path,
    `cannot be read: ${(error as Error).message}`,
    "check that it is still there and may be read",
  );
}

async function firstBytes(path: string): Promise<Buffer> {
  for await (const chunk of bytesOf({ path, bytes: 8, gzip: false })) return chunk;
  return Buffer.alloc(0);
}

function startsWith(bytes: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

function refuseForeign(start: Buffer, path: string): void {
  const known = foreign.find(({ magic }) => startsWith(start, magic));
  if (known !== undefined)
    throw refused(path, known.what, "save it as CSV (UTF-8), plain or compressed with gzip");
  const sample = start.subarray(0, 4096);
  const zeros = [...sample].filter((byte) => byte === 0).length;
  const marked = startsWith(sample, [0xff, 0xfe]) || startsWith(sample, [0xfe, 0xff]);
  if (
    marked ||
    (zeros > sample.length / 3 && /^[\t\r\n\x20-\x7e]+$/.test(sample.toString("latin1").replaceAll("\0", "")))
  )
    throw refused(path, "is UTF-16 text", encodingFix("UTF-16", path));
  if (zeros > 0)
    throw refused(path, "is a binary file", "save it as CSV (UTF-8), plain or compressed with gzip");
}

/** Decodes the next chunk, or the end of the file; undefined when it is not UTF-8. */
function decode(decoder: TextDecoder, chunk: Buffer | undefined): string | undefined {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch {
    return undefined;
  }
}

/**
 * Reads the file again for the first line that is not UTF-8: only a refused file pays for counting lines. To its end,
 * because a damaged gzip file may unpack to nonsense before the damage is noticed.
 */
async function wrongEncoding(file: Pick<SourceFile, "path" | "bytes" | "gzip">): Promise<UserError> {
  let line = 1;
  let found = false;
  let rest: Buffer<ArrayBufferLike> = Buffer.alloc(0);
  for await (const chunk of bytesOf(file)) {
    if (found) continue;
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      found = !isUtf8(rest.subarray(0, end + 1));
      if (found) break;
      rest = rest.subarray(end + 1);
      line += 1;
    }
    // A line without end: what has been read of it is all that is worth saying.
    found ||= rest.length > headCharacters;
  }
  return refused(
    file.path,
    `is not UTF-8 text: line ${line} has bytes of another encoding`,
    encodingFix("WINDOWS-1252", file.path),
  );
}

function encodingFix(from: string, path: string): string {
  return `re-save it as UTF-8, e.g. \`iconv -f ${from} -t UTF-8 ${path} > utf8.csv\``;
}
