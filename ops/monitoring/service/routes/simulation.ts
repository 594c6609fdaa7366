// GET /simulation/...: what another policy would do, without doing it.
import { z } from "zod";
import { age } from "../../advice/age";
import { columnstoreSimulationOutput, simulateColumnstore } from "../../advice/simulateColumnstore";
import { retentionOutput, simulateRetention } from "../../advice/simulateRetention";
import { keepMs, type RouteGroup, slow } from "../context";
import { requireInstalled } from "../installed";
import { accessProblems, bearer, relationName } from "../schemas";

const example = "A whole number and a unit: `60d`, `12h`, `60 days`";
const retentionParameters = z.strictObject({
  hypertable: relationName.describe("Table or aggregate"),
  keep: age.describe(`Age up to which rows would be kept. ${example}`),
});
const columnstoreParameters = z.strictObject({
  hypertable: relationName.describe("Table or aggregate"),
  after: age.describe(`Age from which on chunks would be columns. ${example}`),
});

export const simulation: RouteGroup =
  ({ monitor, telemetry, shared }) =>
  async (app) => {
    app.get(
      "/simulation/retention",
      {
        config: { access: "admin" },
        schema: {
          summary: "What a retention would delete, and what aggregates would lose",
          security: bearer,
          querystring: retentionParameters,
          response: { ...accessProblems, 200: retentionOutput },
        },
      },
      ({ query: { hypertable, keep } }) =>
        shared.get(`simulation/retention ${hypertable} ${keep}`, keepMs, () =>
          telemetry.read(async (client) => {
            await requireInstalled(client);
            return simulateRetention(client, { hypertable, keepSeconds: keep, at: new Date() });
          }, slow.limitMs),
        ),
    );
    app.get(
      "/simulation/columnstore",
      {
        config: { access: "admin" },
        schema: {
          summary: "What an earlier or later columnstore would save",
          security: bearer,
          querystring: columnstoreParameters,
          response: { ...accessProblems, 200: columnstoreSimulationOutput },
        },
      },
      ({ query: { hypertable, after } }) =>
        shared.get(`simulation/columnstore ${hypertable} ${after}`, keepMs, () =>
          monitor.read(async (client) => {
            await requireInstalled(client);
            return simulateColumnstore(client, { hypertable, afterSeconds: after, at: new Date() });
          }),
        ),
    );
  };
