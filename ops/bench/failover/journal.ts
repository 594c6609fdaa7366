/** What writers and probes note, line by line. Times are milliseconds of the kernel's monotonic clock. */

/** A write that the database acknowledged. */
export interface Acknowledged {
  /** Who wrote it. */
  readonly source: string;
  /** What it wrote: no source writes a number twice. */
  readonly number: number;
  readonly sent: number;
  readonly acknowledged: number;
  /** The member that acknowledged it, or its address. */
  readonly server: string;
  /** Of that member's WAL, when it wrote. Each promotion begins another one. */
  readonly timeline: number;
}

/** An attempt that failed, or had no answer in time: the database may have the number or not. */
export interface Failed {
  readonly source: string;
  readonly sent: number;
  readonly failed: number;
  readonly reason: string;
}

const nanosecondsPerMillisecond = 1e6;

/** Now, on the clock of the notes. */
export function now(): number {
  return Number(process.hrtime.bigint()) / nanosecondsPerMillisecond;
}

/**
 * A line as writer.py writes it: `ack NUMBER SENT ACKNOWLEDGED SERVER TIMELINE`, or `err NUMBER SENT FAILED REASON`.
 *
 * @throws Error for anything else: a number that was lost here would count as never acknowledged
 */
export function parseNote(source: string, line: string): Acknowledged | Failed {
  const ack = /^ack (\d+) (\d+) (\d+) (\S+) ([0-9A-F]{8})$/.exec(line);
  if (ack !== null) {
    const [, number, sent, acknowledged, server = "", timeline = ""] = ack;
    return {
      source,
      number: Number(number),
      sent: milliseconds(sent),
      acknowledged: milliseconds(acknowledged),
      server,
      timeline: Number.parseInt(timeline, 16),
    };
  }
  const err = /^err \d+ (\d+) (\d+) (.*)$/.exec(line);
  if (err === null) throw new Error(`a note of ${source} cannot be read: ${line}`);
  const [, sent, failed, reason = ""] = err;
  return { source, sent: milliseconds(sent), failed: milliseconds(failed), reason };
}

function milliseconds(nanoseconds: string | undefined): number {
  return Number(nanoseconds) / nanosecondsPerMillisecond;
}

/** Everything that was noted so far. */
export class Journal {
  readonly acknowledged: Acknowledged[] = [];
  readonly failed: Failed[] = [];
  private readonly newest = new Map<string, number>();
  private taken = { acknowledged: 0, failed: 0 };

  /** @param line without its end */
  add(source: string, line: string): void {
    const note = parseNote(source, line);
    if ("failed" in note) {
      this.failed.push(note);
      return;
    }
    this.acknowledged.push(note);
    this.newest.set(source, Math.max(this.timelineOf(source), note.timeline));
  }

  /** The newest on which anything was acknowledged to anyone; 0 before that. */
  get timeline(): number {
    return Math.max(0, ...this.newest.values());
  }

  /** The same for one of them. */
  timelineOf(source: string): number {
    return this.newest.get(source) ?? 0;
  }

  /** What was added since the last time this was asked for. */
  next(): Pick<Journal, "acknowledged" | "failed"> {
    const acknowledged = this.acknowledged.slice(this.taken.acknowledged);
    const failed = this.failed.slice(this.taken.failed);
    this.taken = { acknowledged: this.acknowledged.length, failed: this.failed.length };
    return { acknowledged, failed };
  }
}
