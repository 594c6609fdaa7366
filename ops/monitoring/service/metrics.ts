// What Prometheus scrapes of the service itself (job `monitoring`).
import type { FastifyReply, FastifyRequest } from "fastify";
import { collectDefaultMetrics, Histogram, Registry } from "prom-client";

export interface ServiceMetrics {
  observe(request: FastifyRequest, reply: FastifyReply): void;
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Methods by name, and one for all others: who sends requests does not choose how many series there are. */
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

export function createMetrics(): ServiceMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from a request's headers to the end of its answer",
    labelNames: ["route", "method", "status"],
    // Around 0.2 s, the goal of reads, and 3 s, the end of what a database may take.
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10],
    registers: [registry],
  });
  return {
    observe(request, reply) {
      duration.observe(
        {
          route: request.routeOptions.url ?? "none",
          method: methods.includes(request.method) ? request.method : "other",
          status: reply.statusCode,
        },
        reply.elapsedTime / 1_000,
      );
    },
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
