// In front of every route: from where, how often, who, and whether they may. In this order, the cheapest first.
import type { FastifyInstance, FastifyRequest } from "fastify";
import { createAuthenticate, notAuthenticated, requireAccess } from "./auth";
import { LocalSession } from "./localSession";
import { Problem } from "./problem";
import type { ServiceSettings } from "./settings";

type Limiter = ReturnType<FastifyInstance["createRateLimit"]>;

/** Needs the rate-limit plugin. */
export function installAccess(app: FastifyInstance, settings: ServiceSettings): void {
  const local = settings.local ? new LocalSession() : undefined;
  const authenticate = settings.tokens === undefined ? undefined : createAuthenticate(settings.tokens);
  const perAddress = app.createRateLimit({ max: settings.limits.perAddress, timeWindow: "1 minute" });
  const perSubject = app.createRateLimit({
    max: settings.limits.perSubject,
    timeWindow: "1 minute",
    keyGenerator: (request) => request.identity?.subject ?? "",
  });

  app.decorateRequest("identity", null);
  // A route whose author forgot to say who may use it does not exist.
  app.addHook("onRoute", ({ url, config }) => {
    if (url.startsWith("/api/") && config?.access === undefined)
      throw new Error(`route ${url} has no access`);
  });
  app.addHook("onRequest", async (request, reply) => {
    local?.guard(request.raw);
    await within(perAddress, request);
    if (local !== undefined && request.routeOptions.url === "/") {
      reply.header("set-cookie", local.cookie(request.raw));
    }
    const access = request.routeOptions.config?.access ?? "public";
    if (access === "public") return;
    const identity = local?.identify(request.raw) ?? (await authenticate?.(request.headers.authorization));
    if (identity === undefined) throw notAuthenticated(request.headers.authorization !== undefined);
    request.identity = identity;
    await within(perSubject, request);
    requireAccess(identity, access);
  });
}

/** @throws Problem 429 */
async function within(limiter: Limiter, request: FastifyRequest): Promise<void> {
  const state = await limiter(request);
  if (!state.isAllowed && state.isExceeded) {
    throw new Problem(429, "too many requests in a minute", { "retry-after": String(state.ttlInSeconds) });
  }
}
