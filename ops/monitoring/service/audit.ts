// Who read what only admins may, and who tried: one line of JSON each, apart from the log of the service.
import type { FastifyRequest } from "fastify";
import { z } from "zod";

export interface AuditLine {
  readonly audit: true;
  readonly at: string;
  /** null where nobody was recognised: what an invalid token says is worth nothing. */
  readonly subject: string | null;
  readonly role: string | null;
  /** The pattern of the route; null when there is none. Never the URL as sent. */
  readonly route: string | null;
  /** Parameters that the route knows. */
  readonly query: Readonly<Record<string, string>>;
  readonly status: number;
  readonly requestId: string;
  readonly remote: string;
}

export type AuditSink = (line: AuditLine) => void;

export const stdoutAudit: AuditSink = (line) => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

/** Longest value of a parameter that is kept. */
const longest = 200;

/** Statuses of an attempt that was refused because of who it was or where it came from. */
const refusals = [401, 403, 421];

/** @returns undefined for what needs no line */
export function auditLine(request: FastifyRequest, status: number, at: Date): AuditLine | undefined {
  const { config, schema, url } = request.routeOptions;
  if (config?.access !== "admin" && !refusals.includes(status)) return undefined;
  return {
    audit: true,
    at: at.toISOString(),
    subject: request.identity?.subject ?? null,
    role: request.identity?.role ?? null,
    route: url ?? null,
    query: knownParameters(request.query, schema?.querystring),
    status,
    requestId: request.id,
    remote: request.ip,
  };
}

/** @param schema of the route's query string */
export function knownParameters(query: unknown, schema: unknown): Record<string, string> {
  const sent: Readonly<Record<string, unknown>> =
    typeof query === "object" && query !== null ? { ...query } : {};
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  return Object.fromEntries(
    known.flatMap((name) => (sent[name] === undefined ? [] : [[name, String(sent[name]).slice(0, longest)]])),
  );
}
