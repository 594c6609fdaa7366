// Clients that ask the same again and again, and what their waiting comes to.
import { percentile } from "../failover/report";
import { milliseconds } from "../measure";

/** What some clients saw of something in a while. */
export interface Load {
  /** Milliseconds of each answer that was one. */
  readonly latencies: readonly number[];
  /** Why others were none. */
  readonly failures: readonly string[];
  readonly seconds: number;
}

export interface Figures {
  /** Milliseconds. */
  readonly p50: number;
  readonly p95: number;
  /** Answers a second, of all clients. */
  readonly perSecond: number;
}

/**
 * Each client asks, waits for the answer, and asks again.
 *
 * @param ask throws for what is no answer
 * @throws the signal's reason when that aborts
 */
export async function load(
  ask: () => Promise<void>,
  { clients, ms, signal }: { clients: number; ms: number; signal: AbortSignal },
): Promise<Load> {
  const latencies: number[] = [];
  const failures: string[] = [];
  const begun = performance.now();
  const client = async () => {
    while (performance.now() - begun < ms) {
      signal.throwIfAborted();
      try {
        latencies.push(await milliseconds(ask));
      } catch (error) {
        failures.push((error as Error).message);
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { latencies, failures, seconds: (performance.now() - begun) / 1_000 };
}

/** @throws Error without one answer, which says why there was none */
export function figuresOf({ latencies, failures, seconds }: Load): Figures {
  if (latencies.length === 0) throw new Error(`nothing answered: ${failures[0] ?? "nobody asked"}`);
  return {
    p50: percentile(latencies, 50),
    p95: percentile(latencies, 95),
    perSecond: latencies.length / seconds,
  };
}
