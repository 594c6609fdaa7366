import type { Log } from "../log";

/**
 * One Ctrl-C arrives as several signals: the terminal sends it to npm, to tsx and to us, and the first two pass it
 * on. What comes within this many milliseconds of the first is the same key press.
 */
const sameKeyPressMs = 1000;

export interface Interrupts {
  /** Aborted by the first Ctrl-C, SIGTERM or SIGHUP. */
  readonly gentle: AbortSignal;
  /** Aborted by a second one, later. */
  readonly hard: AbortSignal;
  /** Gives the signals back to Node's own handling. */
  release(): void;
}

export function catchInterrupts(log: Log): Interrupts {
  const gentle = new AbortController();
  const hard = new AbortController();
  let firstAt: number | undefined;
  const onSignal = () => {
    if (firstAt === undefined) {
      firstAt = Date.now();
      log.warn("stopping: what is running is finished and recorded. Ctrl-C again stops at once");
      gentle.abort();
    } else if (Date.now() - firstAt > sameKeyPressMs) {
      hard.abort();
    }
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return {
    gentle: gentle.signal,
    hard: hard.signal,
    release: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
