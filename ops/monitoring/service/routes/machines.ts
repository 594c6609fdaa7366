// GET /machines: what there is telemetry of.
import { z } from "zod";
import type { Queryable } from "../../../queryable";
import { keepMs, type RouteGroup } from "../context";
import { readInstalled } from "../installed";
import { accessProblems, bearer, noParameters } from "../schemas";

const machine = z.object({
  id: z.string().describe("Give it as `machine`"),
  name: z.string(),
  line: z.string().optional(),
  metrics: z.array(
    z.object({ id: z.string().describe("Give it as `metric`"), name: z.string(), unit: z.string() }),
  ),
});
type Machine = z.infer<typeof machine>;

export const machines: RouteGroup =
  ({ telemetry, shared }) =>
  async (app) => {
    app.get(
      "/machines",
      {
        config: { access: "authenticated" },
        schema: {
          summary: "Machines, and the metrics that each has samples of",
          security: bearer,
          querystring: noParameters,
          response: { ...accessProblems, 200: z.object({ machines: z.array(machine) }) },
        },
      },
      async () => ({ machines: await shared.get("machines", keepMs, () => telemetry.read(readMachines)) }),
    );
  };

interface Row {
  readonly machine: string;
  readonly machine_name: string;
  readonly line: string | null;
  readonly metric: string | null;
  readonly metric_name: string | null;
  readonly unit: string | null;
}

export async function readMachines(client: Queryable): Promise<Machine[]> {
  const series = (relation: string, and = "") =>
    `EXISTS (SELECT FROM factory_telemetry.${relation} s
              WHERE s.machine_id = m.machine_id AND s.metric_id = x.metric_id ${and})`;
  // The daily level is small, and outlives the samples; what came in since its last day is among the newest of them.
  const hasSamples =
    (await readInstalled(client))?.edition === "community"
      ? `(${series("metric_daily_aggregate")} OR ${series("metric_hist", "AND s.ts > now() - INTERVAL '2 days'")})`
      : series("metric_hist");
  const { rows } = await client.query<Row>(
    `SELECT m.code AS machine, m.name AS machine_name, m.line, x.code AS metric, x.name AS metric_name, x.unit
       FROM factory_telemetry.machines m
       LEFT JOIN factory_telemetry.metrics x ON ${hasSamples}
      ORDER BY m.code, x.code`,
  );
  const found = new Map<string, Machine>();
  for (const row of rows) {
    const known = found.get(row.machine) ?? {
      id: row.machine,
      name: row.machine_name,
      ...(row.line === null ? {} : { line: row.line }),
      metrics: [],
    };
    found.set(row.machine, known);
    if (row.metric !== null) {
      known.metrics.push({ id: row.metric, name: row.metric_name ?? row.metric, unit: row.unit ?? "" });
    }
  }
  return [...found.values()];
}
