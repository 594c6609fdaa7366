import { UserError } from "../../infra/errors";
import { type Client, withTransaction } from "../../infra/schema/postgres";
import { type Machine, machineCode, matchMachine } from "./machineNames";
import { type MetricDictionary, matchMetric } from "./metricNames";

/** The reference tables as they are now. */
export interface Dictionary extends MetricDictionary {
  readonly machines: readonly Machine[];
}

/** One number for every ingest of a database: who adds names takes this advisory lock. */
const addingNames = 5_360_001;

export async function readDictionary(client: Client): Promise<Dictionary> {
  const machines = await client.query<Machine>(
    "SELECT machine_id AS id, code, name, timezone FROM factory_telemetry.machines ORDER BY machine_id",
  );
  const metrics = await client.query<{ id: number; code: string; name: string; unit: string }>(
    "SELECT metric_id AS id, code, name, unit FROM factory_telemetry.metrics ORDER BY metric_id",
  );
  const aliases = await client.query<{ alias: string; metric_id: number }>(
    "SELECT alias, metric_id FROM factory_telemetry.metric_aliases",
  );
  return {
    machines: machines.rows,
    metrics: metrics.rows,
    aliases: new Map(aliases.rows.map((row) => [row.alias, row.metric_id])),
  };
}

/** Names that the database does not know yet, as a file writes them. */
export interface UnknownNames {
  readonly machines: readonly string[];
  readonly metrics: readonly string[];
  /** Zone of machines that are added; their `timezone` column reads it. */
  readonly timezone: string | undefined;
}

/**
 * The ids of machines and metrics by the names that a file uses, adding those that are missing.
 *
 * Reads the tables again under a lock, so that ingests that meet the same new name at the same time add it once.
 * Nothing is inserted that could conflict: a refused insert would use up one of the 32,767 ids.
 *
 * @throws UserError when the ids are used up.
 */
export async function ensureNames(
  client: Client,
  names: UnknownNames,
): Promise<{ machines: Map<string, number>; metrics: Map<string, number>; added: string[] }> {
  return withTransaction(client, async () => {
    await client.query("SELECT pg_advisory_xact_lock($1)", [addingNames]);
    const known = await readDictionary(client);
    const machines = new Map<string, number>();
    const metrics = new Map<string, number>();
    const added: string[] = [];
    const machineRows = [...known.machines];
    for (const name of names.machines) {
      let machine = matchMachine(name, machineRows);
      if (machine === undefined) {
        machine = await addMachine(client, name, names.timezone ?? "UTC");
        machineRows.push(machine);
        added.push(`machine ${machine.code}`);
      }
      machines.set(name, machine.id);
    }
    const metricRows = [...known.metrics];
    for (const name of names.metrics) {
      const match = matchMetric(name, { metrics: metricRows, aliases: known.aliases });
      if ("id" in match) {
        metrics.set(name, match.id);
        continue;
      }
      const inserted = await client
        .query<{ id: number }>(
          "INSERT INTO factory_telemetry.metrics (code, name, unit, kind) VALUES ($1, $2, $3, $4) RETURNING metric_id AS id",
          [match.code, match.name, match.unit, match.kind],
        )
        .catch((error: unknown) => {
          throw usedUp(error, "metrics", name);
        });
      const id = inserted.rows[0]?.id ?? Number.NaN;
      metricRows.push({ ...match, id });
      metrics.set(name, id);
      added.push(`metric ${match.code}`);
    }
    return { machines, metrics, added };
  });
}

async function addMachine(client: Client, name: string, timezone: string): Promise<Machine> {
  const code = machineCode(name);
  if (code === "")
    throw new UserError(`${JSON.stringify(name)} cannot be a machine's code`, {
      fix: "name the machine with letters, digits, dots, dashes and underscores, or add it to factory_telemetry.machines with this name",
    });
  const inserted = await client
    .query<{ id: number }>(
      "INSERT INTO factory_telemetry.machines (code, name, timezone) VALUES ($1, $2, $3) RETURNING machine_id AS id",
      [code, name, timezone],
    )
    .catch((error: unknown) => {
      throw usedUp(error, "machines", name);
    });
  return { id: inserted.rows[0]?.id ?? Number.NaN, code, name, timezone };
}

const sequenceLimitExceeded = "2200H";

function usedUp(error: unknown, table: string, name: string): unknown {
  if ((error as { code?: string }).code !== sequenceLimitExceeded) return error;
  return new UserError(`no id is left for ${JSON.stringify(name)} in factory_telemetry.${table}`, {
    fix: "check that the column really names machines or metrics; the dictionary holds 32,767 of each",
    cause: error,
  });
}
