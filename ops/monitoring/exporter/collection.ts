import type { Client } from "pg";
import type { Collector } from "./collector";
import type { FailureLog } from "./log";
import { type Sample, sample } from "./metrics";
import { readServerFacts, type ServerFacts } from "./serverFacts";
import type { Session } from "./session";

export interface Collection {
  /** undefined: the database is away. */
  readonly server: ServerFacts | undefined;
  readonly samples: readonly Sample[];
}

/**
 * Asks collectors one after the other, within `timeoutMs` for all. It never fails: a collector that does, or that time did not
 * suffice for, gives `timescaledb_exporter_collect_success` 0 and leaves the others alone.
 */
export async function collect(
  session: Pick<Session, "run">,
  collectors: readonly Collector[],
  timeoutMs: number,
  failures: FailureLog,
): Promise<Collection> {
  let server: ServerFacts | undefined;
  let waiting = collectors;
  const samples: Sample[] = [];
  try {
    await session.run(timeoutMs, async (client) => {
      const facts = await readServerFacts(client);
      server = facts;
      waiting = collectors.filter(({ communityOnly }) => !communityOnly || facts.edition === "community");
      for (const collector of waiting) {
        const collected = await ask(client, collector, failures);
        samples.push(...collected);
        waiting = waiting.filter((other) => other !== collector);
      }
    });
    failures.worked("the database");
  } catch (error) {
    failures.failed("the database", error);
  }
  // A copy: nothing that still comes after time was up may get in.
  return { server, samples: [...samples, ...waiting.flatMap(({ name }) => outcome(name, false))] };
}

async function ask(
  client: Client,
  { name, sql, samples }: Collector,
  failures: FailureLog,
): Promise<Sample[]> {
  const begun = performance.now();
  const took = () =>
    sample("timescaledb_exporter_collect_seconds", { collector: name }, (performance.now() - begun) / 1_000);
  try {
    const { rows } = await client.query(sql);
    const collected = samples(rows);
    failures.worked(`collector ${name}`);
    return [...collected, ...took(), ...outcome(name, true)];
  } catch (error) {
    failures.failed(`collector ${name}`, error);
    return [...took(), ...outcome(name, false)];
  }
}

function outcome(collector: string, success: boolean): Sample[] {
  return sample("timescaledb_exporter_collect_success", { collector }, Number(success));
}
