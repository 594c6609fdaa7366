import type { Log } from "../log";

/** Seconds of silence after which a person wonders. */
const patience = 10;

/** Does long work and says now and then that it goes on. */
export async function patiently<T>(log: Log, what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const timer = setInterval(() => {
    log.info(`${what} … ${Math.round((performance.now() - started) / 1_000)} s`);
  }, patience * 1_000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
