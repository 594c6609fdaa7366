// What the routes get.
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import type { Access, Identity } from "./auth";
import type { Database } from "./database";
import type { ServiceMetrics } from "./metrics";
import type { ServiceSettings } from "./settings";
import type { SharedReads } from "./sharedReads";

export interface ServiceContext {
  readonly settings: ServiceSettings;
  /** Statistics, as ms5_monitor. */
  readonly monitor: Database;
  /** Telemetry, as ms5_reader. */
  readonly telemetry: Database;
  /** For /health alone, as ms5_monitor: what others do must not keep it waiting. */
  readonly health: Database;
  readonly shared: SharedReads;
  readonly metrics: ServiceMetrics;
}

/** A group of endpoints. Each of its routes says who may use it: `config: { access: … }`. */
export type RouteGroup = (context: ServiceContext) => FastifyPluginAsyncZod;

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    identity: Identity | null;
  }
}

/** ms that the result of an expensive read is good for. */
export const keepMs = 5_000;

/** ms; for what may count the rows of whole chunks: how long it may take, and how long the result is good for. */
export const slow = { limitMs: 20_000, keepMs: 60_000 };
