/** Requests to one API server: JSON over HTTPS with the kubeconfig's credentials, tried again when the fault is passing. */
import { type Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { ExitCode, UserError } from "../../../infra/errors";
import type { Bag } from "../values";
import type { Connection } from "./kubeconfig";

/** Milliseconds before the next attempts after a passing fault. */
const retryMs = [200, 400, 800, 1600, 3200];
/** Milliseconds an answer may take. */
const answerMs = 30_000;

/** One field that the API server refuses, and why. */
export interface Cause {
  readonly field?: string;
  readonly message: string;
  /** E.g. `FieldManagerConflict`. */
  readonly reason?: string;
}

/** The API server said no. */
export class ApiError extends Error {
  constructor(
    /** HTTP status. */
    readonly code: number,
    message: string,
    readonly causes: readonly Cause[],
    /** The kind of the object that the error is about, in plural, e.g. `namespaces`. */
    readonly about: string | undefined,
  ) {
    super(message);
  }
}

/** Nobody answers. */
class Unreachable extends UserError {}

export function isNotFound(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 404;
}

/** Whether the fault may pass by itself: no connection, or the API server is overloaded or starting. */
export function isPassing(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  if (!(error instanceof ApiError)) return false;
  return [429, 500, 502, 503, 504].includes(error.code) && !schemaFault.test(error.message);
}

/** Fields that the kind has not got come as an internal error, without causes: `.spec.portz: field not declared …`. */
const schemaFault = /^failed to create typed patch object \(.*?\): (?:errors:)?\s*/s;

export interface ApiRequest {
  readonly method: "GET" | "PATCH" | "DELETE";
  /** E.g. `/api/v1/namespaces`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Bag;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. */
  readonly timeoutMs?: number;
  /** Default: true. */
  readonly retry?: boolean;
}

export interface ApiResponse {
  readonly text: string;
  /** What the API server warns of, e.g. pods that the namespace will not let in. */
  readonly warnings: readonly string[];
}

export class Api {
  private readonly base: URL;
  private agent: Agent | undefined;

  constructor(readonly connection: Connection) {
    this.base = new URL(connection.server.replace(/\/*$/, "/"));
  }

  async json(request: ApiRequest): Promise<{ body: Bag; warnings: readonly string[] }> {
    const { text, warnings } = await this.send(request);
    return { body: JSON.parse(text) as Bag, warnings };
  }

  /**
   * Every method used here may be repeated safely.
   *
   * @throws ApiError when the API server refuses
   * @throws UserError when it cannot be reached
   */
  async send(request: ApiRequest): Promise<ApiResponse> {
    for (const delay of request.retry === false ? [] : retryMs) {
      try {
        return await this.once(request);
      } catch (error) {
        if (request.signal?.aborted || !isPassing(error)) throw error;
        await sleep(delay, undefined, { signal: request.signal }).catch(() => undefined);
      }
    }
    return this.once(request);
  }

  private async once(request: ApiRequest): Promise<ApiResponse> {
    const { method, path, query, body, contentType } = request;
    const url = new URL(path.slice(1), this.base);
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    const text = body === undefined ? undefined : JSON.stringify(body);
    let response: IncomingMessage;
    let answer: string;
    try {
      const options = await this.options();
      options.method = method;
      options.headers = {
        ...options.headers,
        accept: "application/json, */*",
        ...(text === undefined
          ? {}
          : {
              "content-type": contentType ?? "application/json",
              "content-length": Buffer.byteLength(text),
            }),
      };
      const timeout = AbortSignal.timeout(request.timeoutMs ?? answerMs);
      options.signal = request.signal === undefined ? timeout : AbortSignal.any([request.signal, timeout]);
      response = await exchange(url, options, text);
      answer = await wholeText(response);
    } catch (error) {
      throw this.unreachable(error);
    }
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return { text: answer, warnings: warningsOf(response) };
    throw statusCode === 401 ? this.unauthorized() : refusal(statusCode, answer);
  }

  /** With the credentials of this moment: tokens of cloud providers expire. */
  private async options(): Promise<RequestOptions> {
    const options: RequestOptions & { rejectUnauthorized?: boolean } = {};
    await this.connection.config.applyToHTTPSOptions(options);
    // The client library's agent opens a connection for each request.
    this.agent ??=
      this.base.protocol === "https:" && options.agent?.constructor === HttpsAgent
        ? new HttpsAgent({ ...options, agent: undefined, keepAlive: true } as ConstructorParameters<
            typeof HttpsAgent
          >[0])
        : (options.agent as Agent);
    options.agent = this.agent;
    return options;
  }

  private unauthorized(): UserError {
    const { server, context } = this.connection;
    return new UserError(
      `the Kubernetes API server ${server} does not accept the credentials of the context "${context}"`,
      { fix: "log in again, or renew the kubeconfig", exitCode: ExitCode.environment },
    );
  }

  private unreachable(error: unknown): Unreachable {
    const { server, context } = this.connection;
    return new Unreachable(
      `the Kubernetes API server ${server} (context "${context}") cannot be reached: ${whyNot(error)}`,
      {
        fix: `check that the cluster runs and that \`kubectl --context ${context} version\` answers, or name another context`,
        exitCode: ExitCode.environment,
        cause: error,
      },
    );
  }
}

function exchange(url: URL, options: RequestOptions, text: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, options, resolve);
    sent.on("error", reject);
    sent.end(text);
  });
}

async function wholeText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** `299 - "text"`, quoted as HTTP does. */
function warningsOf(response: IncomingMessage): string[] {
  const header = response.headers.warning;
  const values = typeof header === "string" ? header : "";
  return [...values.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) =>
    text.replace(/\\(.)/g, "$1"),
  );
}

/** What a status other than success says. @param answer the body, normally JSON */
export function refusal(code: number, answer: string): ApiError {
  let status: {
    message?: string;
    details?: { kind?: string; causes?: readonly Partial<Cause>[] };
  };
  try {
    status = JSON.parse(answer);
  } catch {
    status = { message: answer.trim() };
  }
  const message = status.message || `the API server answered with status ${code}`;
  const causes = schemaFault.test(message)
    ? message
        .replace(schemaFault, "")
        // The value itself may be a secret.
        .replaceAll(/, got &.*$/gm, "")
        .split(/\n\s*/)
        .map((line) => ({ message: line }))
    : (status.details?.causes ?? []).map((cause) => ({ ...cause, message: cause.message ?? "" }));
  return new ApiError(code, message, causes, status.details?.kind);
}

function whyNot(error: unknown): string {
  const { name, message, code } = error as NodeJS.ErrnoException;
  if (name === "TimeoutError") return "it does not answer";
  // Of several addresses tried, the error has no text of its own.
  return message || code || name;
}
