import { join } from "node:path";
import type { StackConfig } from "../../config";
import { currentActor } from "../migrations/actor";
import { type Migration, readMigrations } from "../migrations/files";
import { plan, type RunOptions, undo, up } from "../migrations/runner";
import { type Common, type Failure, type Handler, PartlyApplied, type Session } from "./handler";

/** Forward files of `sql/migrations/` with the SHA-256 of each, so that a preview lists what is pending by name. */
export interface MigrationsInputs extends Common {
  files: Record<string, string>;
}

export const migrationsFolder = join(__dirname, "..", "..", "..", "sql", "migrations");

/** The files and checksums that {@link MigrationsInputs} states. */
export async function migrationFiles(): Promise<Record<string, string>> {
  return byFile(await readMigrations(migrationsFolder));
}

function byFile(migrations: readonly Migration[]): Record<string, string> {
  return Object.fromEntries(migrations.map(({ forward }) => [forward.file, forward.sha256]));
}

function runOptions(config: StackConfig): RunOptions {
  return {
    actor: currentActor(),
    lockTimeoutMs: config.migrations.lockTimeout.seconds * 1_000,
    statementTimeoutMs: config.migrations.statementTimeout.seconds * 1_000,
  };
}

async function applied({ client }: Session): Promise<Record<string, string>> {
  const { applied: rows } = await plan(client, await readMigrations(migrationsFolder));
  return Object.fromEntries(rows.map((row) => [row.file, row.sha256]));
}

export const migrations: Handler<MigrationsInputs> = {
  replaceOn: [],
  deleteBeforeReplace: true,
  id: () => "migrations",

  /** The ledger decides in the end; what the last deployment knows already fails the preview. */
  async check(olds, news) {
    return Object.entries(olds.files ?? {}).flatMap(([file, sha256]): Failure[] => {
      const now = news.files[file];
      if (now === sha256) return [];
      const what =
        now === undefined ? "is not in sql/migrations/ any more" : "was edited after it was applied";
      return [
        {
          property: "files",
          reason: `${file} ${what}. Put it back (git log -- sql/migrations/${file}) and make the change in a new file, or take it back first: npm run ops -- migrate undo`,
        },
      ];
    });
  },

  async apply(session, inputs) {
    try {
      await up(session.client, await readMigrations(migrationsFolder), runOptions(session.config));
    } catch (error) {
      const done = await applied(session).catch(() => undefined);
      if (done === undefined || Object.keys(done).length === 0) throw error;
      const reason =
        error instanceof Error && "fix" in error ? `${error.message}\n  fix: ${error.fix}` : String(error);
      throw new PartlyApplied(reason, { ...inputs, files: done });
    }
  },

  async live(session, inputs) {
    const files = await applied(session);
    return Object.keys(files).length === 0 ? undefined : { ...inputs, files };
  },

  /** Leaves schema and telemetry in place unless the config says that `destroy` may delete them. */
  async remove({ client, config }) {
    if (!config.destroy.dropTelemetry) return;
    await undo(client, await readMigrations(migrationsFolder), "all", {
      ...runOptions(config),
      dropData: true,
    });
  },
};
