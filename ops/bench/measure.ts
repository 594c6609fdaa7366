/** Something that can be measured again and again; returns the measured number (milliseconds, rows/s, …). */
export interface Case {
  readonly name: string;
  measure(): Promise<number>;
}

/** What repeated measurements come to. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

/**
 * Measures all cases side by side: one of each, then the next round, so that a machine that slows down half-way slows
 * all of them down. Each round begins with another case, so that none always runs in the wake of the same neighbour.
 *
 * @param warmUps rounds that don't count
 * @param runs rounds that do
 */
export async function interleaved(
  cases: readonly Case[],
  { warmUps, runs }: { warmUps: number; runs: number },
): Promise<Map<string, Summary>> {
  const samples = new Map<string, number[]>(cases.map(({ name }) => [name, []]));
  for (let round = 0; round < warmUps + runs; round += 1) {
    const first = round % Math.max(cases.length, 1);
    for (const one of [...cases.slice(first), ...cases.slice(0, first)]) {
      const value = await one.measure();
      if (round >= warmUps) samples.get(one.name)?.push(value);
    }
  }
  return new Map([...samples].map(([name, values]) => [name, summarise(values)]));
}

/** @throws Error without a sample: there is no honest number to give. */
export function summarise(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [below, above] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (below === undefined || above === undefined || min === undefined || max === undefined) {
    throw new Error("nothing was measured");
  }
  return { median: (below + above) / 2, min, max, runs: sorted.length };
}

/** Milliseconds `work` takes. */
export async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** How many of `count` things a second `work` does. */
export async function perSecond(count: number, work: () => Promise<unknown>): Promise<number> {
  return (count / (await milliseconds(work))) * 1_000;
}
