// What can go wrong with a request, in words. Pure.
import { duration, sentenceCase } from "./format.js";

/**
 * signIn: no or an expired token (401). forbidden: not for this role (403). busy: asked too often (429).
 * unavailable: the service is there, its database is not (5xx). away: no answer. refused: the request was wrong (4xx).
 * @typedef {"signIn" | "forbidden" | "busy" | "unavailable" | "away" | "refused"} FailureKind
 */

/** Where the service does not say how long to wait. */
const defaultWaitSeconds = 60;
/** A service that says more is asked again all the same. */
const longestWaitSeconds = 600;

export class Failure extends Error {
  /**
   * @param {FailureKind} kind
   * @param {string} message a sentence for people
   * @param {string} brief the same in three words: there is little room beside older data
   * @param {number} [retryAfterSeconds] not to ask again before
   */
  constructor(kind, message, brief, retryAfterSeconds = 0) {
    super(message);
    this.kind = kind;
    this.brief = brief;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Nobody is signed in, or not any more. */
export function signInFailure() {
  return new Failure("signIn", "Sign in to see this.", "Signed out");
}

/**
 * @param {number} status of HTTP, not 2xx
 * @param {import("./answers.js").Problem} problem {} where the answer was none
 * @param {string | null} retryAfter the header
 */
export function failureOf(status, problem, retryAfter) {
  if (status === 401) return signInFailure();
  if (status === 403)
    return new Failure(
      "forbidden",
      "Your role may not see this. It needs the role ms5.admin.",
      "Not allowed",
    );
  if (status === 429) {
    const wait = waitSeconds(retryAfter);
    return new Failure("busy", `Asked too often; next try in ${duration(wait)}.`, "Asked too often", wait);
  }
  if (status === 503 || status === 504) {
    const wait = retryAfter === null ? 0 : waitSeconds(retryAfter);
    const words = sentenceCase(problem.detail ?? "The service cannot answer at the moment.");
    return new Failure("unavailable", words, "Not available", wait);
  }
  if (status >= 500)
    return new Failure("unavailable", "The service failed to answer this.", "Service failed");
  const words = problem.detail ?? problem.title ?? `status ${status}`;
  return new Failure("refused", `The service refused this: ${words}`, "Refused");
}

/** Nobody answered, or not in time. @param {boolean} late */
export function awayFailure(late) {
  return late
    ? new Failure("away", "The service takes too long.", "Too slow")
    : new Failure("away", "The service does not answer.", "No answer");
}

/** Seconds, or a date, which nobody's service here sends: then the default. @param {string | null} header */
function waitSeconds(header) {
  const seconds = header === null || header.trim() === "" ? Number.NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0
    ? Math.min(Math.ceil(seconds), longestWaitSeconds)
    : defaultWaitSeconds;
}
