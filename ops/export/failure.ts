import { ExitCode, UserError } from "../../infra/errors";

/**
 * Lets `work` fail in words for a person: what the database or the disk said, behind `what`.
 *
 * @throws UserError (failed, or environment for a full disk); those of `work` as they are
 */
export async function explainFailure<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { message, code, detail } = error as Error & { code?: string; detail?: string };
    const full = code === "ENOSPC";
    throw new UserError(`${what}: ${detail === undefined ? message : `${message} (${detail})`}`, {
      fix: full
        ? "make room on the disk and run it again"
        : "put right what the message says and run it again",
      exitCode: full ? ExitCode.environment : ExitCode.failed,
      cause: error,
    });
  }
}
