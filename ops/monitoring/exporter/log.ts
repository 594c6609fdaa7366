/** What a program in the cluster says of itself: one object a line. */
export type EventLog = (event: {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly [detail: string]: string | number;
}) => void;

/** Notes of things that fail over and over: says when one begins to fail and when it works again, not each time. */
export class FailureLog {
  private readonly failing = new Set<string>();

  constructor(private readonly log: EventLog) {}

  failed(what: string, error: unknown): void {
    if (this.failing.has(what)) return;
    this.failing.add(what);
    this.log({ level: "warn", message: `${what} fails`, error: reasonOf(error) });
  }

  worked(what: string): void {
    if (this.failing.delete(what)) this.log({ level: "info", message: `${what} works again` });
  }
}

/** Some errors of sockets have a code and no text; one of several attempts has neither, but its parts have. */
export function reasonOf(error: unknown): string {
  const { message, code, errors } = error as { message?: string; code?: string; errors?: unknown[] };
  return message || code || (errors?.map(reasonOf).join("; ") ?? String(error));
}
