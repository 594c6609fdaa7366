import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What runs beside Patroni in each database pod: by file name, as infra/database/agent/ has it. */
export function agentFiles(): Record<string, string> {
  const folder = join(__dirname, "agent");
  const programs = readdirSync(folder).filter((name) => /\.(py|sql)$/.test(name));
  return {
    ...Object.fromEntries(programs.map((name) => [name, readFileSync(join(folder, name), "utf8")])),
    // One script for the primary: what the pooler needs is part of a database that is complete.
    "database.sql": [
      readFileSync(join(folder, "database.sql"), "utf8"),
      readFileSync(join(__dirname, "poolerAuth.sql"), "utf8"),
    ].join("\n"),
  };
}

/** A short name for contents: another one whenever anything in them changes. */
export function digest(contents: unknown): string {
  return createHash("sha256").update(JSON.stringify(contents)).digest("hex").slice(0, 16);
}
