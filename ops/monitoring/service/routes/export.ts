// GET /export: one series as a file, sent as it is read.
import { once } from "node:events";
import type { Readable } from "node:stream";
import { z } from "zod";
import {
  contentTypes,
  countExportRows,
  exportFormats,
  exportSeries,
  mostExportRows,
} from "../../advice/exportSeries";
import type { RouteGroup } from "../context";
import type { Session } from "../database";
import { type Range, resolveRange } from "../range";
import { accessProblems, bearer, notFound } from "../schemas";
import { findSeries, newestSample, readLevels, seriesParameters } from "../series";

const parameters = z.strictObject({ ...seriesParameters, format: z.enum(exportFormats).default("csv") });
type Parameters = z.infer<typeof parameters>;

/** Days */
const limits = { defaultDays: 1, mostDays: 400 };

const file = {
  description: "The file; a transfer that was cut short is no file",
  content: Object.fromEntries(
    Object.values(contentTypes).map((type) => [
      type.split(";", 1)[0] ?? type,
      { schema: z.any().meta({ type: "string", format: "binary" }) },
    ]),
  ),
};

export const exported: RouteGroup =
  ({ telemetry }) =>
  async (app) => {
    app.get(
      "/export",
      {
        config: { access: "authenticated" },
        // It would read all of it to say how long it is.
        exposeHeadRoute: false,
        schema: {
          summary: "One series as a file",
          description: `Without \`to\` it ends with the newest sample, without \`from\` it begins a day before the end. At most 400 days, ${mostExportRows.toLocaleString("en-US")} rows and five minutes; two files at a time, and 503 beyond.`,
          security: bearer,
          querystring: parameters,
          response: { ...accessProblems, 404: notFound, 200: file },
        },
      },
      async ({ query }, reply) => {
        const session = await telemetry.session();
        // Whoever has gone waits for nothing: neither the count nor the rest of the rows.
        reply.raw.once("close", session.close);
        try {
          const { range, stream } = await open(session, query);
          reply.type(contentTypes[query.format]).header("content-disposition", disposition(query, range));
          stream.once("close", session.close);
          return await reply.send(stream);
        } catch (error) {
          session.close();
          throw error;
        }
      },
    );
  };

/** Begins to read, so that what goes wrong at the start can still be said. */
async function open(session: Session, query: Parameters): Promise<{ range: Range; stream: Readable }> {
  const series = await findSeries(session, query);
  const range = resolveRange(query, await newestSample(session, series, await readLevels(session)), limits);
  const { machineId, metricId } = series;
  const input = { machineId, metricId, format: query.format, ...range };
  await countExportRows(session, input);
  const stream = exportSeries(session, input);
  await once(stream, "readable");
  return { range, stream };
}

/** Machine and metric have no character that a header or a file name would mind. */
function disposition({ machine, metric, format }: Parameters, { from, to }: Range): string {
  const compact = (at: Date) => at.toISOString().replace(/[-:]|\.\d+/g, "");
  return `attachment; filename="${machine}_${metric}_${compact(from)}_${compact(to)}.${format}"`;
}
