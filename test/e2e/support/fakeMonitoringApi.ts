// Stands for the monitoring service: its page, its headers, and an API that behaves as a test wants it to.
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Answers } from "../../../ops/monitoring/page/answers";
import { chunkPage, healthyAnswers } from "./fakeMonitoringAnswers";

const root = join(import.meta.dirname, "../../..");
const base = "/api/v1/monitoring";

/** As the service sends it (ops/monitoring/service/server.ts). */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface Refusal {
  readonly status: number;
  readonly detail?: string;
  readonly retryAfterSeconds?: number;
}

export class FakeMonitoringApi {
  answers: Answers = healthyAnswers(Date.now());
  /** Milliseconds by which the service's clock is ahead of this process's: as far as a test turned the page's. */
  ahead = 0;
  /** Why a path is not answered; undefined: it is. */
  refuse: ((path: string) => Refusal | undefined) | undefined;
  /** Hangs up on everything of the API. */
  away = false;
  /** Answers wait for it. */
  gate: Promise<void> | undefined;
  /** undefined: a cookie is enough, as in local mode. */
  token: string | undefined;
  /** How many requests, health's left out, were under way at a time. */
  mostTogether = 0;
  /** Path and query of each request to the API, without its base. */
  readonly asked: string[] = [];

  private together = 0;

  private constructor(
    private readonly app: FastifyInstance,
    readonly url: string,
  ) {}

  static async start(): Promise<FakeMonitoringApi> {
    const app = fastify({ forceCloseConnections: true });
    const cell: { api?: FakeMonitoringApi } = {};
    app.addHook("onSend", async (_request, reply) => {
      reply.header("content-security-policy", policy).header("referrer-policy", "no-referrer");
    });
    await app.register(fastifyStatic, { root: join(root, "ops/monitoring/page") });
    await app.register(fastifyStatic, {
      root: join(root, "node_modules/uplot/dist"),
      prefix: "/assets/uplot/",
      decorateReply: false,
    });
    app.get(`${base}/*`, (request, reply) => cell.api?.counted(request, reply));
    const api = new FakeMonitoringApi(app, await app.listen({ host: "127.0.0.1", port: 0 }));
    cell.api = api;
    return api;
  }

  /** Requests for this path since `from`, a length of `asked`. */
  count(path: string, from = 0): number {
    return this.asked.slice(from).filter((one) => one === path || one.startsWith(`${path}?`)).length;
  }

  async stop(): Promise<void> {
    await this.app.close();
  }

  private async counted(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    if (request.url === `${base}/health`) return this.answer(request, reply);
    this.together += 1;
    this.mostTogether = Math.max(this.mostTogether, this.together);
    // Others have the time to come, if they don't wait for their turn.
    await new Promise((resolve) => setTimeout(resolve, 5));
    return this.answer(request, reply).finally(() => {
      this.together -= 1;
    });
  }

  private async answer(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const asked = request.url.slice(base.length);
    const path = asked.split("?")[0] ?? "";
    this.asked.push(asked);
    await this.gate;
    if (this.away) {
      reply.hijack();
      request.raw.destroy();
      return undefined;
    }
    const refusal = this.refusalOf(path, request.headers.authorization);
    if (refusal !== undefined) {
      if (refusal.retryAfterSeconds !== undefined) reply.header("retry-after", refusal.retryAfterSeconds);
      return reply
        .code(refusal.status)
        .type("application/problem+json")
        .send(JSON.stringify({ type: "about:blank", title: "Refused", ...refusal }));
    }
    if (path === "/export") {
      return reply
        .header("content-disposition", 'attachment; filename="M1-temperature.csv"')
        .type("text/csv")
        .send("ts,value\n2025-01-01T00:00:00Z,36.5\n");
    }
    if (path === "/metrics/chunks" && asked.includes("after=page-1")) return chunkPage(Date.now(), 1);
    if (path === "/health" && this.answers["/health"].status === "unhealthy") reply.code(503);
    if (path === "/health")
      return { ...this.answers["/health"], at: new Date(Date.now() + this.ahead).toISOString() };
    return Object.hasOwn(this.answers, path)
      ? this.answers[path as keyof Answers]
      : reply.code(404).send({ detail: `no ${path}` });
  }

  private refusalOf(path: string, authorization: string | undefined): Refusal | undefined {
    if (path !== "/health" && this.token !== undefined && authorization !== `Bearer ${this.token}`)
      return { status: 401 };
    return this.refuse?.(path);
  }
}
