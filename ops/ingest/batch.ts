/** Samples column by column, which is how both writers want them, without an object a row. */
export interface Samples {
  readonly length: number;
  /** Microseconds since 1970-01-01 UTC. */
  readonly times: Float64Array;
  readonly values: Float32Array;
  readonly machines: Int32Array;
  readonly metrics: Int32Array;
}

/** A record that could not be read, and why. */
export interface Reject {
  readonly line: number;
  readonly reason: string;
  readonly record: string;
}

/** What one transaction writes: the samples and rejects of consecutive records. */
export class Batch implements Samples {
  times: Float64Array;
  values: Float32Array;
  machines: Int32Array;
  metrics: Int32Array;
  length = 0;
  readonly rejects: Reject[] = [];
  /** Characters in `rejects`, so that a file of nothing but bad rows does not pile up in memory. */
  rejectedCharacters = 0;
  /** Records dealt with, good and bad. */
  records = 0;

  /** @param firstRecord records of the file that come before this batch. */
  constructor(
    readonly firstRecord: number,
    capacity: number,
  ) {
    this.times = new Float64Array(capacity);
    this.values = new Float32Array(capacity);
    this.machines = new Int32Array(capacity);
    this.metrics = new Int32Array(capacity);
  }

  push(time: number, value: number, machine: number, metric: number): void {
    if (this.length === this.times.length) this.grow();
    this.times[this.length] = time;
    this.values[this.length] = value;
    this.machines[this.length] = machine;
    this.metrics[this.length] = metric;
    this.length += 1;
  }

  /** Takes back the samples of a record whose later cell turned out to be bad. */
  truncate(length: number): void {
    this.length = length;
  }

  reject(reject: Reject): void {
    this.rejects.push(reject);
    this.rejectedCharacters += reject.record.length + reject.reason.length;
  }

  private grow(): void {
    const capacity = this.length * 2 + 16;
    const larger = <T extends Float64Array | Float32Array | Int32Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.times = larger(new Float64Array(capacity), this.times);
    this.values = larger(new Float32Array(capacity), this.values);
    this.machines = larger(new Int32Array(capacity), this.machines);
    this.metrics = larger(new Int32Array(capacity), this.metrics);
  }
}
