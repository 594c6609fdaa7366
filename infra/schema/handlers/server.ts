import type { StackConfig } from "../../config";
import { UserError } from "../../errors";
import { type Client, type ConnectionTarget, describeTarget, withClient } from "../postgres";
import type { Common, Failure, Handler } from "./handler";

/** The server the schema goes to, and what it must be. */
export interface ServerInputs extends Common {
  edition: "community" | "apache";
}

/**
 * Oldest TimescaleDB the schema works on: `add_columnstore_policy` and `convert_to_columnstore` came with 2.18
 * (https://github.com/timescale/timescaledb/releases/tag/2.18.0).
 */
const minimumVersion = [2, 18] as const;

/** A promotion under way is over by then; a replica that stays one is told soon. */
const readinessTimeoutMs = 30_000;
const readinessPollMs = 1_000;

export interface ServerFacts {
  /** e.g. `17.5` */
  readonly postgres: string;
  /** e.g. `2.23.0-dev` */
  readonly timescaledb: string;
  /** `timescale` (Community) or `apache`, as the server says. */
  readonly license: string;
}

/** What the server says it is; undefined where TimescaleDB is not installed in the database. */
export async function serverFacts(client: Client): Promise<ServerFacts | undefined> {
  const { rows } = await client.query<ServerFacts>(
    `SELECT split_part(current_setting('server_version'), ' ', 1) AS postgres, extversion AS timescaledb,
            current_setting('timescaledb.license', true) AS license
       FROM pg_extension WHERE extname = 'timescaledb'`,
  );
  return rows[0];
}

/** Says why the server is not what the config expects; undefined when it is. */
export function refusal(facts: ServerFacts, edition: "community" | "apache"): Failure | undefined {
  const found = facts.license === "timescale" ? "community" : "apache";
  if (found !== edition) {
    return {
      property: "edition",
      reason:
        `database.edition is "${edition}", but the server has the ${found} edition ` +
        `(timescaledb.license = ${facts.license}). Nothing was changed. ` +
        (edition === "community"
          ? 'Use an image with TimescaleDB Community, or set database.edition to "apache" and do without columnstore, aggregates and policies'
          : 'Set database.edition to "community"'),
    };
  }
  const [major = 0, minor = 0] = facts.timescaledb.split(".").map(Number);
  if (major < minimumVersion[0] || (major === minimumVersion[0] && minor < minimumVersion[1])) {
    return {
      property: "edition",
      reason: `TimescaleDB ${facts.timescaledb} is too old: ${minimumVersion.join(".")} or later is needed. Nothing was changed`,
    };
  }
  return undefined;
}

async function waitUntilReady(client: Client): Promise<void> {
  const deadline = Date.now() + readinessTimeoutMs;
  for (;;) {
    const { rows } = await client.query<{ recovering: boolean }>("SELECT pg_is_in_recovery() AS recovering");
    if (rows[0]?.recovering === false) return;
    if (Date.now() > deadline) {
      throw new UserError(
        `the server takes no writes: it was a read-only replica for all of ${readinessTimeoutMs / 1_000} seconds`,
        { fix: "let database.host name the primary, or promote this server" },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, readinessPollMs));
  }
}

async function factsOf(target: ConnectionTarget): Promise<ServerFacts | undefined> {
  try {
    return await withClient(target, serverFacts);
  } catch {
    // Not there yet: whether it becomes what is expected is seen when it is made.
    return undefined;
  }
}

export const server: Handler<ServerInputs> = {
  replaceOn: [],
  deleteBeforeReplace: true,
  id: () => "server",

  /** Every other resource of the stack waits for this one, so a server of the wrong edition stops the run here. */
  async check(_olds, news, config: StackConfig) {
    const { target } = config.database;
    const facts = target === undefined ? undefined : await factsOf(target);
    const failure = facts === undefined ? undefined : refusal(facts, news.edition);
    return failure === undefined ? [] : [failure];
  },

  async apply({ client, config }, inputs) {
    await waitUntilReady(client);
    await client.query("CREATE EXTENSION IF NOT EXISTS timescaledb");
    const facts = await serverFacts(client);
    if (facts === undefined) {
      throw new Error(
        `TimescaleDB is missing on ${config.database.target === undefined ? "the server" : describeTarget(config.database.target)}`,
      );
    }
    const failure = refusal(facts, inputs.edition);
    if (failure !== undefined) throw new Error(failure.reason);
  },

  async live({ client }, inputs) {
    const facts = await serverFacts(client);
    if (facts === undefined) return undefined;
    return { ...inputs, edition: facts.license === "timescale" ? "community" : "apache" };
  },

  /** The server is not ours to remove. */
  async remove() {},
};
