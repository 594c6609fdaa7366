/** A factory as `up` makes it, filled, with the monitor role and all that the exporter tells of. */
import { aggregateNames, qualified } from "../../../infra/schema/catalogue";
import { engineVersion } from "../../../infra/schema/handlers/handler";
import { columnstorePolicy, refreshPolicy, retentionPolicy } from "../../../infra/schema/handlers/policies";
import { planSchema } from "../../../infra/schema/plan";
import { type Client, type ConnectionTarget, withClient } from "../../../infra/schema/postgres";
import { loginRoles, ownerRole } from "../../../infra/schema/roleNames";
import { type Factory, factoryEnd, fillFactory, refreshAggregates } from "../../../ops/bench/factory";
import { deploySchema } from "../../../ops/bench/throwaway";

const dayMs = 86_400_000;

/** Ends at the last midnight (UTC): the present is what most of the metrics are about. */
const factory: Factory = {
  machines: 3,
  metrics: 2,
  intervalSeconds: 60,
  from: new Date(Math.floor(Date.now() / dayMs) * dayMs - 6 * dayMs),
  days: 6,
};

/** Up to here the aggregates are materialised. */
export const refreshedUntil = new Date(factoryEnd(factory).getTime() - 2 * dayMs);

/** What the monitor role needs beside membership of pg_monitor. */
const grants = `
  GRANT USAGE ON SCHEMA monitoring TO ${loginRoles.monitor};
  GRANT SELECT ON monitoring.heartbeat TO ${loginRoles.monitor};
  GRANT EXECUTE ON FUNCTION monitoring.beat, monitoring.recent_count, monitoring.newest_rows, monitoring.aggregates
    TO ${loginRoles.monitor}`;

export async function fillDatabase(target: ConnectionTarget): Promise<void> {
  const config = await deploySchema(target);
  await withClient(target, async (client) => {
    await client.query(`SET ROLE ${ownerRole}`);
    const session = { client, config };
    const plan = planSchema(config);
    for (const { refreshPolicy: refresh } of plan.aggregates.values())
      await refreshPolicy.apply(session, { ...refresh, engineVersion });
    for (const { columnstorePolicy: columnstore, retentionPolicy: retention } of [
      ...plan.tables.values(),
      ...plan.aggregates.values(),
    ]) {
      if (columnstore !== undefined)
        await columnstorePolicy.apply(session, { ...columnstore, engineVersion });
      if (retention !== undefined) await retentionPolicy.apply(session, { ...retention, engineVersion });
    }
    await fillFactory(client, factory);
    await refreshAggregates(client, aggregateNames.map(qualified), refreshedUntil);
  });
  await withClient(target, (client) =>
    client.query(`CREATE ROLE ${loginRoles.monitor} LOGIN IN ROLE pg_monitor; ${grants}`),
  );
}

/** A session as the monitor role: the embedded database knows no logins. */
export function asMonitor<T>(target: ConnectionTarget, work: (client: Client) => Promise<T>): Promise<T> {
  return withClient(target, async (client) => {
    await client.query(`SET ROLE ${loginRoles.monitor}`);
    return work(client);
  });
}
