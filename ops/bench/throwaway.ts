import { rmSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig, type StackConfig } from "../../infra/config";
import { ExitCode } from "../../infra/errors";
import { continuousAggregate } from "../../infra/schema/handlers/continuousAggregate";
import { engineVersion, type Session } from "../../infra/schema/handlers/handler";
import { hypertable } from "../../infra/schema/handlers/hypertable";
import { migrationFiles, migrations } from "../../infra/schema/handlers/migrations";
import { owner, statedOwner } from "../../infra/schema/handlers/owner";
import { planSchema } from "../../infra/schema/plan";
import { type ConnectionTarget, withClient } from "../../infra/schema/postgres";
import { ownerRole } from "../../infra/schema/roleNames";
import { startEmbedded } from "../embedded";
import type { Log } from "../log";

export interface Throwaway {
  readonly target: ConnectionTarget;
  /** Of our own; removed with the database. */
  readonly folder: string;
}

/** Runs `work` with an embedded TimescaleDB in a temporary folder. Nothing of the user's is touched, nothing is left. */
export async function withThrowaway<T>(log: Log, work: (database: Throwaway) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "ms5-bench-"));
  // The database ends with this process; only its files would stay.
  const interrupted = (): never => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(ExitCode.interrupted);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    await mkdir(join(folder, "local"));
    const database = await startEmbedded({ dataDir: join(folder, "local", "database"), port: 0, log });
    try {
      return await work({ target: database.target, folder });
    } finally {
      await database.stop();
    }
  } finally {
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The schema of stack `local` with its hypertables and aggregates, as an `up` makes it, but without the engine and
 * without policies: what is refreshed and turned into columns is the benchmark's to say. Environment variables that
 * override config don't count here, since they might name another database.
 */
export async function deploySchema(target: ConnectionTarget): Promise<StackConfig> {
  const config = throwawayConfig(target);
  const plan = planSchema(config);
  await createOwner(target);
  await withClient(target, async (client) => {
    await client.query(`SET ROLE ${ownerRole}`);
    const session: Session = { client, config };
    await migrations.apply(session, { files: await migrationFiles(), engineVersion });
    for (const table of plan.tables.values())
      await hypertable.apply(session, { ...table.hypertable, engineVersion });
    for (const { view } of plan.aggregates.values())
      await continuousAggregate.apply(session, { ...view, engineVersion });
  });
  return config;
}

function throwawayConfig({ port }: ConnectionTarget): StackConfig {
  return loadConfig("local", { "ms5-timescale:database": JSON.stringify({ port }) });
}

/** What a stack has before its schema resources. */
export async function createOwner(target: ConnectionTarget): Promise<void> {
  const config = throwawayConfig(target);
  await withClient(target, (client) =>
    owner.apply({ client, config }, { ...statedOwner(target.user), engineVersion }),
  );
}
