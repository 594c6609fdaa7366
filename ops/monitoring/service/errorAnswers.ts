// Every error as a problem document; what went wrong inside goes into the log and nowhere else.
import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { UserError } from "../../../infra/errors";
import { DatabaseUnavailable, type Unavailability } from "./database";
import { describeIssues, Problem, problemBody, problemType } from "./problem";

const unavailable: Readonly<Record<Unavailability, string>> = {
  down: "the database cannot be reached at the moment",
  slow: "the database did not answer in time",
  busy: "too many requests wait for the database",
};

/** s after which it may be better. */
const retryAfter: Readonly<Record<Unavailability, string>> = { down: "5", slow: "5", busy: "1" };

export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) =>
    answer(toProblem(error), error, request, reply),
  );
  app.setNotFoundHandler((request, reply) => {
    const problem = new Problem(404, "there is nothing here");
    return answer(problem, problem, request, reply);
  });
}

/** @returns what the client is told; 500 for what nobody expected */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof DatabaseUnavailable) {
    return new Problem(
      503,
      unavailable[error.why],
      { "retry-after": retryAfter[error.why] },
      { cause: error },
    );
  }
  if (error instanceof UserError) return new Problem(400, `${error.message}: ${error.fix}`);
  const { validation, statusCode } = error as Partial<FastifyError>;
  if (validation !== undefined) return new Problem(400, describeIssues(validation));
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Problem(statusCode, "the request cannot be understood");
  }
  return new Problem(
    500,
    "an unexpected error; the log has it by this problem's instance",
    {},
    { cause: error },
  );
}

function answer(
  problem: Problem,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (problem.status === 500) request.log.error({ err: error }, "unexpected error");
  // Why a database or a key set is away is for who runs them.
  else if (problem.status === 503) request.log.warn({ err: reason(problem) }, "not available");
  return (
    reply
      .code(problem.status)
      .headers({ ...problem.headers, "cache-control": "no-store" })
      .type(problemType)
      // As it is: the route's schemas are for answers of the route.
      .serializer((body: unknown) => JSON.stringify(body))
      .send(problemBody(problem.status, problem.detail, request.id))
  );
}

/** The innermost cause. */
function reason(error: Error): unknown {
  return error.cause instanceof Error ? reason(error.cause) : error;
}

/** For what fails before there is a route, e.g. a URL that cannot be decoded. */
export function frameworkError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  void answer(toProblem(error), error, request, reply);
}

const statusOfSocketError: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** For what is no HTTP request, or too large or slow to become one. */
export function clientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = statusOfSocketError[error.code ?? ""] ?? 400;
  const body = JSON.stringify(problemBody(status, "the request cannot be understood", randomUUID()));
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `Content-Type: ${problemType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}
