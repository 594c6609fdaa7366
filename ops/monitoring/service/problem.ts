// Errors as clients see them: application/problem+json by RFC 9457.

export const problemType = "application/problem+json";

/** Titles of every status this service gives. */
const titles: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Not authenticated",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  408: "Request timeout",
  413: "Content too large",
  414: "URI too long",
  421: "Misdirected request",
  429: "Too many requests",
  431: "Request header fields too large",
  500: "Internal error",
  503: "Service unavailable",
};

/** The body of an error. `type` is always about:blank: the status says what kind it is. */
export interface ProblemBody {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Names this one occurrence, as the log does. */
  readonly instance: string;
}

/** An error meant for the client: its detail leaves the service, so it says nothing about the inside. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly status: number,
    readonly detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
    options: { cause?: unknown } = {},
  ) {
    super(detail, options);
  }
}

/** @param requestId a UUID */
export function problemBody(status: number, detail: string, requestId: string): ProblemBody {
  return {
    type: "about:blank",
    title: titles[status] ?? (status < 500 ? "Request refused" : "Internal error"),
    status,
    detail,
    instance: `urn:uuid:${requestId}`,
  };
}

/** As schema validation reports what is wrong with a query string. */
export interface Issue {
  /** "/points" */
  readonly instancePath?: string | undefined;
  readonly keyword?: string | undefined;
  readonly message?: string | undefined;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

/** Longest name of an unknown parameter that is said back. */
const longestEcho = 60;

/** One sentence a parameter, each with its name; the values that were sent are not said back. */
export function describeIssues(issues: readonly Issue[]): string {
  return issues
    .flatMap(({ instancePath, keyword, message, params }) => {
      if (keyword === "unrecognized_keys" && Array.isArray(params?.keys)) {
        return params.keys.map((key) => `unknown parameter "${String(key).slice(0, longestEcho)}"`);
      }
      const name = instancePath?.replace(/^\//, "") ?? "";
      return [name === "" ? (message ?? "invalid query") : `parameter "${name}": ${message ?? "invalid"}`];
    })
    .join("; ");
}
