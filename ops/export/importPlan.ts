/** Whether an export fits a database, and what of it is to be loaded. Pure. */
import { UserError } from "../../infra/errors";
import type { Manifest, StoredTable } from "./manifest";
import { differingColumns, isLedger, type Table } from "./tables";

/** What is in the database that is to take the export. */
export interface Found {
  readonly tables: readonly Table[];
  /** Applied migrations, by number. */
  readonly migrations: Manifest["migrations"];
}

export interface ImportPlan {
  /** Whether the schema is made from the export; otherwise it is there, and the same. */
  readonly makesSchema: boolean;
  /** In the order in which they can be loaded. */
  readonly load: readonly StoredTable[];
}

/**
 * A schema that is there keeps its own ledger, which must tell of the same migrations; one that is made gets the
 * export's, so that the next `up` finds nothing pending.
 *
 * @throws UserError when the schema that is there is incomplete or another one, or is neither there nor in the export
 */
export function planImport(manifest: Manifest, found: Found): ImportPlan {
  const there = new Map(found.tables.map((table) => [table.name, table]));
  const missing = manifest.tables.filter(({ table }) => !there.has(table)).map(({ table }) => table);
  const nothingThere = there.size === 0 || (missing.length > 0 && missing.length === manifest.tables.length);
  if (nothingThere) {
    if (manifest.schema !== undefined) return { makesSchema: true, load: manifest.tables };
    throw new UserError("this export holds no schema, and the database has none", {
      fix: "make the schema first (npm run up -- STACK), or import an export of kind full",
    });
  }
  if (missing.length > 0)
    throw new UserError(`the database has a part of the schema only: ${missing.join(", ")} is missing`, {
      fix: "import into an empty database, or make the schema whole first: npm run up -- STACK",
    });
  refuseOtherMigrations(manifest.migrations, found.migrations);
  const load = manifest.tables.filter(({ table }) => !isLedger(table));
  for (const { table, columns } of load) {
    const differing = differingColumns(columns, there.get(table)?.columns ?? []);
    if (differing.length > 0)
      throw new UserError(`${table} has other columns than the export: ${differing.join(", ")}`, {
        fix: "import into an empty database, or into one whose schema is at the export's migrations",
      });
  }
  return { makesSchema: false, load };
}

function refuseOtherMigrations(exported: Manifest["migrations"], found: Manifest["migrations"]): void {
  const differing = (some: Manifest["migrations"], others: Manifest["migrations"]): string[] =>
    some
      .filter(({ file, sha256 }) => !others.some((other) => other.file === file && other.sha256 === sha256))
      .map(({ file }) => file);
  const [onlyExported, onlyFound] = [differing(exported, found), differing(found, exported)];
  if (onlyExported.length + onlyFound.length === 0) return;
  const parts = [
    ...(onlyExported.length === 0 ? [] : [`the export has ${onlyExported.join(", ")}`]),
    ...(onlyFound.length === 0 ? [] : [`the database has ${onlyFound.join(", ")}`]),
  ];
  throw new UserError(`export and database are at different migrations: ${parts.join(", ")}`, {
    fix: "import from a checkout of the export's migrations, or into an empty database; then apply the others with up",
  });
}
