import type { Actor } from "../../infra/schema/migrations/actor";
import { type Migration, parseMigrations } from "../../infra/schema/migrations/files";
import type { UndoOptions } from "../../infra/schema/migrations/runner";

/** Migrations without a folder: name (`0001-a`) → SQL forward and back. */
export function migrations(files: Record<string, readonly [forward: string, back: string]>): Migration[] {
  return parseMigrations(
    Object.entries(files).flatMap(([name, [forward, back]]) => [
      { name: `${name}.sql`, content: Buffer.from(forward) },
      { name: `${name}.undo.sql`, content: Buffer.from(back) },
    ]),
    "migrations",
  );
}

export const anna: Actor = { user: "anna", host: "build-1" };

/** Short waits, so that a test that waits for nothing ends soon. */
export function runOptions(changes: Partial<UndoOptions> = {}): UndoOptions {
  return { actor: anna, lockTimeoutMs: 500, statementTimeoutMs: 30_000, dropData: false, ...changes };
}
