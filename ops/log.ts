/** Progress and logs for a person: always on stderr, so that stdout carries results alone. */
export interface Log {
  /** A line that stays. */
  info(line: string): void;
  warn(line: string): void;
}

/** `quiet` (with `--json`) keeps warnings and drops progress. */
export function createLog(options: { quiet: boolean }): Log {
  return {
    info: (line) => {
      if (!options.quiet) process.stderr.write(`${line}\n`);
    },
    warn: (line) => {
      process.stderr.write(`warning: ${line}\n`);
    },
  };
}
