// Names of TimescaleDB's jobs: one way for the exporter's labels, the API and its page.

export interface NamedJob {
  readonly id: number;
  readonly proc: string;
  /** Table or aggregate, without schema; null where the job is of none. */
  readonly hypertable: string | null;
}

/** What TimescaleDB's procedures do, where their own name says it worse. */
const actions: Readonly<Record<string, string>> = {
  policy_compression: "columnstore",
  policy_refresh_continuous_aggregate: "refresh",
};

/**
 * The jobs' names by their ids: what each does and to which table or aggregate, e.g. `retention:metric_hist`; with its id where
 * it is of none, e.g. `telemetry:1`. The same on every deployment, other than an id. Of several that come to the same
 * name, the oldest has it, and the others add their id.
 */
export function jobNames(jobs: readonly NamedJob[]): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const taken = new Set<string>();
  for (const { id, proc, hypertable } of [...jobs].sort((a, b) => a.id - b.id)) {
    const name = `${actions[proc] ?? proc.replace(/^policy_/, "")}:${hypertable ?? id}`;
    names.set(id, taken.has(name) ? `${name}:${id}` : name);
    taken.add(name);
  }
  return names;
}

/**
 * Jobs with lower ids are TimescaleDB's own. They are shown, but when they fail nobody is told: one reports to its maker,
 * which a closed network does not let through, and the Apache edition refuses another its licence each time.
 */
export const firstOwnJobId = 1_000;
