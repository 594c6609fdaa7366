import { jobsOfRelation } from "../jobs";
import { type Client, withTransaction } from "../postgres";
import type { Common, Handler } from "./handler";
import { intervalSeconds } from "./interval";

/** Turns chunks into columns when they reach an age. */
export interface ColumnstorePolicyInputs extends Common {
  /** Hypertable or continuous aggregate, schema-qualified. */
  relation: string;
  after: string;
  schedule: string;
}

/** Deletes chunks when they reach an age. */
export interface RetentionPolicyInputs extends Common {
  relation: string;
  dropAfter: string;
  schedule: string;
}

/** Brings an aggregate up to date. */
export interface RefreshPolicyInputs extends Common {
  relation: string;
  startOffset: string;
  endOffset: string;
  schedule: string;
}

/** Rewrites finished chunks in the order of an index. */
export interface ReorderPolicyInputs extends Common {
  relation: string;
  index: string;
}

interface PolicyInputs extends Common {
  relation: string;
}

interface Job {
  readonly job_id: number;
  readonly scheduled: boolean;
  readonly schedule_seconds: number;
  readonly config: Record<string, unknown>;
}

/** How one kind of policy is found, made and taken away; what differs between the four. */
interface PolicyKind<Inputs extends PolicyInputs> {
  /** TimescaleDB's procedures behind the job; the columnstore's is still called compression. */
  readonly procedure: string;
  readonly remove: string;
  readonly add: string;
  values(inputs: Inputs): string[];
  /** Keys of the job's config that hold an interval, by property. */
  readonly intervals: Readonly<Record<string, string>>;
  /** Keys of the job's config that hold a text, by property. */
  readonly texts: Readonly<Record<string, string>>;
  /** The property a job that someone paused by hand shows as drift in. */
  readonly pausedAs: string;
}

const findJobs = `
  SELECT j.job_id, j.scheduled, extract(epoch FROM j.schedule_interval)::float8 AS schedule_seconds, j.config
    ${jobsOfRelation} ORDER BY j.job_id`;

function policy<Inputs extends PolicyInputs>(kind: PolicyKind<Inputs>): Handler<Inputs> {
  const jobsOf = async (client: Client, relation: string): Promise<Job[]> => {
    const { rows } = await client.query<Job>(findJobs, [kind.procedure, relation]);
    return rows;
  };

  const liveInputs = async (client: Client, job: Job, inputs: Inputs): Promise<Inputs> => {
    const live: Record<string, unknown> = Object.fromEntries(Object.entries(inputs));
    for (const [property, key] of Object.entries(kind.intervals)) {
      live[property] = await configInterval(client, job.config[key]);
    }
    for (const [property, key] of Object.entries(kind.texts)) live[property] = job.config[key];
    if ("schedule" in inputs) live.schedule = intervalSeconds(job.schedule_seconds);
    if (!job.scheduled) live[kind.pausedAs] = "paused";
    return live as Inputs;
  };

  return {
    replaceOn: ["relation"],
    deleteBeforeReplace: true,
    id: ({ relation }) => `${kind.procedure}:${relation}`,

    /** Removing and adding are one transaction: there is no moment without the policy, or with two. */
    async apply({ client }, inputs) {
      const jobs = await jobsOf(client, inputs.relation);
      const only = jobs.length === 1 ? jobs[0] : undefined;
      if (only !== undefined && same(await liveInputs(client, only, inputs), inputs)) return;
      await withTransaction(client, async () => {
        if (jobs.length > 0) await client.query(kind.remove, [inputs.relation]);
        await client.query(kind.add, [inputs.relation, ...kind.values(inputs)]);
      });
    },

    async live({ client }, inputs) {
      const job = (await jobsOf(client, inputs.relation))[0];
      return job === undefined ? undefined : liveInputs(client, job, inputs);
    },

    async remove({ client }, inputs) {
      if ((await jobsOf(client, inputs.relation)).length > 0)
        await client.query(kind.remove, [inputs.relation]);
    },
  };
}

async function configInterval(client: Client, value: unknown): Promise<string | null> {
  // A job's config writes intervals as PostgreSQL prints them ("7 days", "12:00:00"), so PostgreSQL reads them.
  if (typeof value !== "string") return null;
  const { rows } = await client.query<{ seconds: number }>(
    "SELECT extract(epoch FROM $1::interval)::float8 AS seconds",
    [value],
  );
  return intervalSeconds(rows[0]?.seconds ?? 0);
}

function same(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export const columnstorePolicy = policy<ColumnstorePolicyInputs>({
  procedure: "policy_compression",
  remove: "CALL remove_columnstore_policy($1::regclass)",
  add: "CALL add_columnstore_policy($1::regclass, after => $2::interval, schedule_interval => $3::interval)",
  values: ({ after, schedule }) => [after, schedule],
  intervals: { after: "compress_after" },
  texts: {},
  pausedAs: "schedule",
});

export const retentionPolicy = policy<RetentionPolicyInputs>({
  procedure: "policy_retention",
  remove: "SELECT remove_retention_policy($1::regclass)",
  add: "SELECT add_retention_policy($1::regclass, $2::interval, schedule_interval => $3::interval)",
  values: ({ dropAfter, schedule }) => [dropAfter, schedule],
  intervals: { dropAfter: "drop_after" },
  texts: {},
  pausedAs: "schedule",
});

export const refreshPolicy = policy<RefreshPolicyInputs>({
  procedure: "policy_refresh_continuous_aggregate",
  remove: "SELECT remove_continuous_aggregate_policy($1::regclass)",
  add: `SELECT add_continuous_aggregate_policy($1::regclass, start_offset => $2::interval, end_offset => $3::interval,
                                               schedule_interval => $4::interval)`,
  values: ({ startOffset, endOffset, schedule }) => [startOffset, endOffset, schedule],
  intervals: { startOffset: "start_offset", endOffset: "end_offset" },
  texts: {},
  pausedAs: "schedule",
});

export const reorderPolicy = policy<ReorderPolicyInputs>({
  procedure: "policy_reorder",
  remove: "SELECT remove_reorder_policy($1::regclass)",
  add: "SELECT add_reorder_policy($1::regclass, $2)",
  values: ({ index }) => [index],
  intervals: {},
  texts: { index: "index_name" },
  pausedAs: "index",
});
