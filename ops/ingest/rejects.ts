import { createReadStream } from "node:fs";
import { appendFile, mkdir, stat, truncate, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UserError } from "../../infra/errors";
import type { Reject } from "./batch";
import { quoteField } from "./fields";

const header = "line,reason,record\n";
/** A reason quotes the bad cell, which may be of any length; the record has all of it. */
const longestReason = 300;

/** The fingerprint in the name keeps two files that are both called `0.csv` apart. */
export function rejectPath(folder: string, file: string, fingerprint: string): string {
  return join(folder, `${basename(file)}-${fingerprint.slice(0, 8)}.rejected.csv`);
}

/** Where a file's rejected records go: `line,reason,record`, one line each. The file is made with the first of them. */
export class RejectFile {
  private opened = false;

  /** @param kept rejects of earlier runs that the ledger knows of; what stands behind them was never committed. */
  constructor(
    readonly path: string,
    private readonly kept: number,
  ) {}

  /** @throws UserError when the folder cannot be written. */
  async append(rejects: readonly Reject[]): Promise<void> {
    if (rejects.length === 0) return;
    try {
      if (!this.opened) await this.open();
      await appendFile(this.path, rejects.map(rejectLine).join(""));
    } catch (error) {
      throw new UserError(`cannot write rejected records to ${this.path}: ${(error as Error).message}`, {
        fix: "give a folder that can be written with --rejects",
        cause: error,
      });
    }
  }

  private async open(): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    const end = this.kept === 0 ? undefined : await endOfLine(this.path, this.kept + 1);
    if (end === undefined) await writeFile(this.path, header);
    else await truncate(this.path, end);
    this.opened = true;
  }
}

function rejectLine({ line, reason, record }: Reject): string {
  return `${line},${quoteField(reason.slice(0, longestReason))},${quoteField(record)}\n`;
}

/** The byte behind the nth line, or undefined when the file has fewer. A rejected record is one line, so it takes one. */
async function endOfLine(path: string, n: number): Promise<number | undefined> {
  if ((await stat(path).catch(() => undefined)) === undefined) return undefined;
  let lines = 0;
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
      lines += 1;
      if (lines === n) return bytes + at + 1;
    }
    bytes += chunk.length;
  }
  return undefined;
}
