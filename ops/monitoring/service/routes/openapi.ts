// GET /openapi.json: this API, for programs that make clients of it.
import type { RouteGroup } from "../context";

export const openapi: RouteGroup = () => async (app) => {
  app.get(
    "/openapi.json",
    {
      config: { access: "public" },
      schema: { summary: "This document (OpenAPI 3.1)" },
    },
    async (_request, reply) => reply.type("application/json").send(app.swagger()),
  );
};
