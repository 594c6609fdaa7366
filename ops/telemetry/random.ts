/** Randomness that is a function of its arguments, so that any part of the data can be made without the rest. */

/** Mixes integers into 32 bits that look random (the finalizer of MurmurHash3 after each). */
export function hash(...values: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const value of values) h = mix(h ^ value);
  return h >>> 0;
}

function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Noise of one series at one instant: mean 0, standard deviation 1, never beyond ±2.45 (a triangle of two dice). */
export function noise(series: number, instant: number): number {
  const h = mix(mix(series ^ instant) + 0x9e3779b9);
  return ((h & 0xffff) + (h >>> 16) - 65_535) * (Math.sqrt(6) / 65_536);
}

/** A sequence of random numbers (mulberry32) that begins the same way for the same seed. */
export class Random {
  private state: number;

  constructor(...seed: readonly number[]) {
    this.state = hash(...seed);
  }

  /** At least 0, below 1. */
  uniform(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  integer(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  /** Waiting time for something that happens every `mean` on average. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.uniform());
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.integer(0, choices.length - 1)] ?? choices[0];
  }
}
