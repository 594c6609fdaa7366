// GET /anomalies: times at which a series was not what it used to be.
import { z } from "zod";
import { anomaliesOutput } from "../../advice/anomalies";
import { readAnomalies } from "../../advice/readAnomalies";
import { keepMs, type RouteGroup } from "../context";
import { resolveRange } from "../range";
import { accessProblems, bearer, notFound } from "../schemas";
import { findSeries, newestSample, readLevels, seriesParameters } from "../series";

const parameters = z.strictObject(seriesParameters);

/** Days; samples are read of twice as long. */
const limits = { defaultDays: 1, mostDays: 31 };

export const anomalies: RouteGroup =
  ({ telemetry, shared }) =>
  async (app) => {
    app.get(
      "/anomalies",
      {
        config: { access: "authenticated" },
        schema: {
          summary: "Times at which a series was not what it was before",
          description:
            "As long a time before `from` is taken as normal. Without `to` it ends with the newest sample, without `from` it begins a day before the end. At most 31 days.",
          security: bearer,
          querystring: parameters,
          response: { ...accessProblems, 404: notFound, 200: anomaliesOutput },
        },
      },
      ({ query }) =>
        shared.get(`anomalies ${JSON.stringify(query)}`, keepMs, () =>
          telemetry.read(async (client) => {
            const { machineId, metricId, ...series } = await findSeries(client, query);
            const newest = await newestSample(
              client,
              { machineId, metricId, ...series },
              await readLevels(client),
            );
            return readAnomalies(client, { machineId, metricId, ...resolveRange(query, newest, limits) });
          }),
        ),
    );
  };
