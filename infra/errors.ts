/** Exit codes of every command, documented in docs/deploy.md. */
export const ExitCode = {
  ok: 0,
  /** The work itself failed: a deployment, a validation, a migration. What was applied is recorded. */
  failed: 1,
  /** Refused before anything changed: command line, configuration or input. */
  refused: 2,
  /** The machine lacks something: no engine, port taken, disk full. */
  environment: 3,
  /** Stopped by Ctrl-C or SIGTERM. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/**
 * An error meant for a person: what was wrong and where (`message`), and what to do (`fix`).
 * The CLI prints it without a stack trace and exits with `exitCode`.
 */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly fix: string;
  readonly exitCode: ExitCode;

  constructor(message: string, options: { fix: string; exitCode?: ExitCode; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.fix = options.fix;
    this.exitCode = options.exitCode ?? ExitCode.refused;
  }
}
