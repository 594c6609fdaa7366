// A monitoring service on loopback with tokens of its own, for tests.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { AuditLine } from "../../../ops/monitoring/service/audit";
import type { Role } from "../../../ops/monitoring/service/auth";
import { type RunningService, type ServiceDeps, startService } from "../../../ops/monitoring/service/server";
import type { DatabaseSettings, ServiceSettings } from "../../../ops/monitoring/service/settings";
import { makeKeySet, signToken } from "../../../ops/monitoring/service/token";

export const issuer = "https://issuer.test";
export const audience = "ms5-test";
export const api = "/api/v1/monitoring";

/** A database on loopback that asks for no password. */
export function onLoopback(port: number, changes: Partial<DatabaseSettings> = {}): DatabaseSettings {
  return {
    host: "127.0.0.1",
    port,
    database: "template1",
    user: "postgres",
    passwordFile: undefined,
    tls: "disable",
    caFile: undefined,
    singleSession: false,
    ...changes,
  };
}

export interface TestService {
  readonly service: RunningService;
  readonly url: string;
  readonly audit: AuditLine[];
  /** Lines of the log. */
  readonly log: string[];
  get(path: string, role?: Role, headers?: Record<string, string>): Promise<Response>;
  token(roles: readonly Role[], seconds?: number): Promise<string>;
  stop(): Promise<void>;
}

/** Many requests a minute are a test's business: limits are high unless given. */
export async function startTestService(
  database: DatabaseSettings,
  changes: Partial<ServiceSettings> = {},
  deps: ServiceDeps = {},
): Promise<TestService> {
  const folder = await mkdtemp(join(tmpdir(), "ms5-service-"));
  const { keySetFile } = await makeKeySet(folder);
  const audit: AuditLine[] = [];
  const log: string[] = [];
  const service = await startService(
    {
      listen: { host: "127.0.0.1", port: 0 },
      local: false,
      tls: undefined,
      monitor: database,
      telemetry: database,
      tokens: { issuer, audience, keys: { from: "file", file: keySetFile }, rolesClaim: "roles" },
      pageFolder: undefined,
      volumeBytes: undefined,
      limits: { perAddress: 100_000, perSubject: 100_000 },
      version: "0.0.0-test",
      ...changes,
    },
    { audit: (line) => audit.push(line), log: { write: (line) => log.push(line) }, ...deps },
  ).catch(async (error) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  const token = (roles: readonly Role[], seconds = 600) =>
    signToken(folder, { issuer, audience, subject: `test-${roles.join("-")}`, roles, seconds });
  return {
    service,
    url: service.url,
    audit,
    log,
    token,
    get: async (path, role, headers = {}) =>
      fetch(`${service.url}${path}`, {
        headers: {
          ...(role === undefined ? {} : { authorization: `Bearer ${await token([role])}` }),
          ...headers,
        },
      }),
    stop: async () => {
      await service.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const problemDocument = z.strictObject({
  type: z.literal("about:blank"),
  title: z.string().min(1),
  status: z.number(),
  detail: z.string().min(1),
  instance: z.string().startsWith("urn:uuid:"),
});

/** @throws when an answer is no problem document, or one that says too much */
export async function problemOf(
  response: Response,
): Promise<{ status: number; detail: string; instance: string }> {
  const type = response.headers.get("content-type") ?? "";
  if (!type.startsWith("application/problem+json")) throw new Error(`${response.status} with ${type}`);
  const body = problemDocument.parse(await response.json());
  if (body.status !== response.status) throw new Error(`body says ${body.status}, not ${response.status}`);
  if (/\bat .*\.[jt]s|node_modules|127\.0\.0\.1|postgres/i.test(JSON.stringify(body))) {
    throw new Error(`a problem that says too much: ${JSON.stringify(body)}`);
  }
  return body;
}
