// What is refused before anybody asks who it is: bodies, methods, headers.
import type { FastifyInstance } from "fastify";
import { Problem } from "./problem";

/** Everything here is read. */
const allowed = ["GET", "HEAD"];

/** @param mostBody bytes of a body, which nothing here looks at */
export function installRequestChecks(app: FastifyInstance, mostBody: number): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
    const { headers, method } = request;
    const length = Number(headers["content-length"] ?? 0);
    // A body whose length is not said may have any.
    if (length > mostBody || headers["transfer-encoding"] !== undefined) {
      // The rest of it is not waited for.
      throw new Problem(413, `nothing here takes a body of more than ${mostBody} bytes`, {
        connection: "close",
      });
    }
    if (!allowed.includes(method)) {
      const path = request.url.split("?", 1)[0] ?? "";
      throw app.hasRoute({ method: "GET", url: path })
        ? new Problem(405, "only GET and HEAD are possible here", { allow: allowed.join(", ") })
        : new Problem(404, "there is nothing here");
    }
  });
}
