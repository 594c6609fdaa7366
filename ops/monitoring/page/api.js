// Requests to the monitoring API. The token is kept here, in memory, and nowhere else.
import { awayFailure, Failure, failureOf } from "./failures.js";
import { Turns } from "./turns.js";

const base = "/api/v1/monitoring";
const patienceMilliseconds = 20_000;
/** As many as the median of "fast" looks at. */
const remembered = 30;

/** @type {string | undefined} */
let token;
/** @type {number[]} */
const waited = [];
const turns = new Turns();

/** @param {string | undefined} given */
export function setToken(given) {
  token = given;
}

export function hasToken() {
  return token !== undefined;
}

/** Milliseconds of the last answers. @returns {readonly number[]} */
export function waits() {
  return waited;
}

/**
 * @param {string} path
 * @param {Readonly<Record<string, string | number | undefined>>} [query] undefined: left out
 */
export function address(path, query = {}) {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  const search = new URLSearchParams(given).toString();
  return `${base}${path}${search === "" ? "" : `?${search}`}`;
}

/**
 * @typedef {object} RequestOptions
 * @property {Readonly<Record<string, string | number | undefined>>} [query]
 * @property {AbortSignal} [signal]
 * @property {boolean} [urgent] before what waits already
 */

/**
 * One after another, but health: it is how one learns that the others wait in vain.
 * @template {keyof import("./answers.js").Answers} Path
 * @param {Path} path
 * @param {RequestOptions} [options]
 * @returns {Promise<import("./answers.js").Answers[Path]>}
 * @throws Failure, or AbortError when `signal` says so
 */
export function get(path, options = {}) {
  const work = () => getNow(path, options);
  return path === "/health" ? work() : turns.take(work, options.urgent);
}

/**
 * @template {keyof import("./answers.js").Answers} Path
 * @param {Path} path
 * @param {RequestOptions} options
 * @returns {Promise<import("./answers.js").Answers[Path]>}
 */
async function getNow(path, { query, signal }) {
  signal?.throwIfAborted();
  const began = performance.now();
  const response = await ask(address(path, query), signal);
  // The health endpoint says by 503 that the answer is bad news; it is an answer all the same.
  const news = path === "/health" && response.status === 503;
  if (!response.ok && !news) throw await failureIn(response);
  try {
    const answer = await response.json();
    if (news && !Array.isArray(answer?.checks)) throw failureOf(503, {}, null);
    remember(performance.now() - began);
    return answer;
  } catch (error) {
    throw signal?.aborted || error instanceof Failure ? error : awayFailure(isTimeout(error));
  }
}

/**
 * A file, as large as it may be: browsers keep large ones on disk. No limit of time, for the same reason.
 * @param {string} url
 * @returns {Promise<{ blob: Blob, name: string }>}
 * @throws Failure
 */
export async function download(url) {
  const response = await ask(url, undefined, Number.POSITIVE_INFINITY);
  if (!response.ok) throw await failureIn(response);
  const name = /filename="?([\w.-]+)"?/.exec(response.headers.get("content-disposition") ?? "")?.[1];
  try {
    return { blob: await response.blob(), name: name ?? "telemetry" };
  } catch {
    throw awayFailure(false);
  }
}

/**
 * @param {string} url
 * @param {AbortSignal | undefined} signal
 * @param {number} [patience]
 */
async function ask(url, signal, patience = patienceMilliseconds) {
  const timeout = Number.isFinite(patience) ? [AbortSignal.timeout(patience)] : [];
  try {
    return await fetch(url, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      cache: "no-store",
      signal: AbortSignal.any([...timeout, ...(signal === undefined ? [] : [signal])]),
    });
  } catch (error) {
    throw signal?.aborted ? error : awayFailure(isTimeout(error));
  }
}

/** @param {Response} response */
async function failureIn(response) {
  const problem = await response.json().catch(() => ({}));
  return failureOf(response.status, problem ?? {}, response.headers.get("retry-after"));
}

/** @param {unknown} error */
function isTimeout(error) {
  return error instanceof DOMException && error.name === "TimeoutError";
}

/** @param {number} milliseconds */
function remember(milliseconds) {
  waited.push(milliseconds);
  if (waited.length > remembered) waited.shift();
}
