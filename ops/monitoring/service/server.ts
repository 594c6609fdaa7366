// The monitoring service: answers under /api/v1/monitoring, the status page at /, its own metrics at /metrics.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import fastifyStatic from "@fastify/static";
import swagger from "@fastify/swagger";
import Fastify, { type FastifyInstance, LogController } from "fastify";
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from "fastify-type-provider-zod";
import { UserError } from "../../../infra/errors";
import { installAccess } from "./access";
import { type AuditSink, auditLine, stdoutAudit } from "./audit";
import type { RouteGroup, ServiceContext } from "./context";
import { Database } from "./database";
import { answerErrors, clientError, frameworkError } from "./errorAnswers";

import { createMetrics } from "./metrics";
import { installRequestChecks } from "./requestChecks";
import { routeGroups } from "./routes";
import { isLoopback, type ServiceSettings } from "./settings";
import { SharedReads } from "./sharedReads";

export const apiPrefix = "/api/v1/monitoring";

/** What a caller may put in place of the usual. */
export interface ServiceDeps {
  /** Default: stdout; nothing in local mode, where there is one person, and that one owns the machine. */
  readonly audit?: AuditSink;
  /** Where the log's lines go. Default: stdout; in local mode warnings alone, on stderr. */
  readonly log?: { write(line: string): void };
  /** Default: all there are. */
  readonly routes?: readonly RouteGroup[];
}

/** Connections a role may have open; one more of the monitor's is for /health alone. */
const mostConnections = { monitor: 3, health: 1, telemetry: 4 };

/** ms and bytes */
const limits = { request: 10_000, idleSocket: 30_000, headers: 16_384, body: 1_024, parameter: 100 };

/**
 * Makes the service without listening yet. Nothing is asked of the database, which may be away.
 *
 * @throws UserError for local mode on an address that others can reach
 */
export async function createService(
  settings: ServiceSettings,
  deps: ServiceDeps = {},
): Promise<FastifyInstance> {
  if (settings.local && !isLoopback(settings.listen.host)) {
    throw new UserError(`local mode cannot listen on ${settings.listen.host}`, {
      fix: "listen on 127.0.0.1: in local mode nobody is asked for a token",
    });
  }
  const app = Fastify({
    logger: {
      level: settings.local ? "warn" : "info",
      stream: deps.log ?? (settings.local ? process.stderr : process.stdout),
      redact: ["req.headers.authorization", "req.headers.cookie", 'res.headers["set-cookie"]'],
      // A URL may hold what was meant for a header: no URL in any line.
      serializers: { req: ({ method, id }) => ({ method, id }) },
    },
    // The lines it would write have the URL as it was sent.
    logController: new LogController({ disableRequestLogging: true }),
    // Never what a client sends: it stands in the log, and names one request.
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    bodyLimit: limits.body,
    requestTimeout: limits.request,
    connectionTimeout: limits.idleSocket,
    routerOptions: { maxParamLength: limits.parameter },
    ...serverOptions(settings),
    forceCloseConnections: "idle",
    frameworkErrors: frameworkError,
    clientErrorHandler: (error, socket) => clientError(error, socket as Socket),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  const context = createContext(settings, app);
  await install(app, context, deps);
  return app as unknown as FastifyInstance;
}

function serverOptions({ tls }: ServiceSettings) {
  const options = { maxHeaderSize: limits.headers };
  if (tls === undefined) return { http: options };
  const { certificateFile, keyFile } = tls;
  return {
    https: {
      ...options,
      cert: readFileSync(certificateFile),
      key: readFileSync(keyFile),
      minVersion: "TLSv1.2",
    },
  } as const;
}

function createContext(
  settings: ServiceSettings,
  app: Pick<FastifyInstance, "log" | "addHook">,
): ServiceContext {
  const lost = (error: Error) => app.log.warn({ err: error }, "an idle connection to the database broke");
  const open = (role: "monitor" | "telemetry", most: number) => new Database(settings[role], most, lost);
  // One session is all the embedded database has, whoever asks.
  const only = settings.monitor.singleSession ? open("monitor", 1) : undefined;
  const databases = {
    monitor: only ?? open("monitor", mostConnections.monitor),
    health: only ?? open("monitor", mostConnections.health),
    telemetry: only ?? open("telemetry", mostConnections.telemetry),
  };
  app.addHook("onClose", async () => {
    await Promise.all([...new Set(Object.values(databases))].map((database) => database.close()));
  });
  return { settings, ...databases, shared: new SharedReads(), metrics: createMetrics() };
}

async function install(app: FastifyInstance, context: ServiceContext, deps: ServiceDeps): Promise<void> {
  const { settings, metrics } = context;
  const audit = deps.audit ?? (settings.local ? () => undefined : stdoutAudit);
  app.addHook("onResponse", async (request, reply) => {
    metrics.observe(request, reply);
    const line = auditLine(request, reply.statusCode, new Date());
    if (line !== undefined) audit(line);
    request.log.info(
      {
        route: request.routeOptions.url ?? null,
        method: request.method,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        remote: request.ip,
      },
      "answered",
    );
  });
  answerErrors(app);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
      },
    },
    // TLS ends in front of the service, and loopback has none: whoever ends it says this.
    strictTransportSecurity: false,
    referrerPolicy: { policy: "no-referrer" },
  });
  // Limits are asked for where it is known who it is, see access.ts.
  await app.register(rateLimit, { global: false });
  installRequestChecks(app, limits.body);
  installAccess(app, settings);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "MS5 TimescaleDB monitoring",
        description:
          "Health, statistics and telemetry of one TimescaleDB. Times are ISO 8601 in UTC, sizes bytes, durations seconds; errors are problem details (RFC 9457).",
        version: settings.version,
      },
      components: {
        securitySchemes: {
          bearer: {
            type: "http",
            scheme: "bearer",
            bearerFormat: "JWT",
            description: "Role ms5.reader, or ms5.admin where an endpoint is for administrators",
          },
        },
      },
    },
    transform: jsonSchemaTransform,
  });
  await app.register(
    async (api) => {
      api.addHook("onRequest", async (_request, reply) => {
        reply.header("cache-control", "no-store");
      });
      for (const group of deps.routes ?? routeGroups) await api.register(group(context));
    },
    { prefix: apiPrefix },
  );
  // For whoever starts it again when it hangs: without the database, which the service does not need for that.
  app.get("/alive", { config: { access: "public" }, schema: { hide: true } }, async () => ({ alive: true }));
  app.get("/metrics", { config: { access: "public" }, schema: { hide: true } }, async (_request, reply) => {
    const { contentType, text } = await metrics.render();
    return reply.type(contentType).send(text);
  });
  if (settings.pageFolder !== undefined) {
    await app.register(fastifyStatic, {
      root: settings.pageFolder,
      // Each file has a route of its own: nothing else in the folder, or above it, can be asked for.
      wildcard: false,
      dotfiles: "ignore",
      // Asked for each time, and answered by 304 while it is the same: a new version is seen at once.
      cacheControl: false,
      setHeaders: (reply) => reply.header("cache-control", "no-cache"),
      schemaHide: true,
    });
  }
}

/** Connections that may wait to be taken. With Node's own 511 the kernel resets some of a thousand that come at once. */
const backlog = 2_048;

/** ms for requests under way when the service stops. */
const stopMs = 5_000;

export interface RunningService {
  readonly url: string;
  /** Takes no more requests, lets those under way finish for up to five seconds; harmless when it is closed already. */
  close(): Promise<void>;
}

/** @throws the socket's error, e.g. with code EADDRINUSE */
export async function startService(
  settings: ServiceSettings,
  deps: ServiceDeps = {},
): Promise<RunningService> {
  const app = await createService(settings, deps);
  const { host, port } = settings.listen;
  const url = await app.listen({ host, port, backlog });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const timer = setTimeout(() => app.server.closeAllConnections(), stopMs - 500);
    // A client keeps its connection after the answer it waited for.
    const tidy = setInterval(() => app.server.closeIdleConnections(), 100);
    await app.close().finally(() => {
      clearTimeout(timer);
      clearInterval(tidy);
    });
  };
  return {
    url,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
