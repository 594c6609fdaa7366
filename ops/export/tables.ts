/** Which tables an export holds, and in which order they can be loaded. Pure. */
import { UserError } from "../../infra/errors";
import type { ExportKind } from "./manifest";

/** A table whose rows are exported. */
export interface Table {
  /** Schema-qualified, unquoted. */
  readonly name: string;
  /** Those that hold what was written into them: generated ones are computed anew. */
  readonly columns: readonly Column[];
  /** Names of other tables that its foreign keys refer to. */
  readonly references: readonly string[];
  /** What a hypertable is partitioned by first. */
  readonly time?: Column;
}

export interface Column {
  readonly name: string;
  /** As PostgreSQL writes it, e.g. `timestamp with time zone`. */
  readonly type: string;
}

/** The schema of the migration ledger. Its rows are part of the schema's history: they go wherever it goes. */
export function isLedger(name: string): boolean {
  return name.startsWith("ms5.");
}

/**
 * The tables of an export, in the order in which they can be loaded. One hypertable brings along the tables that it
 * refers to: without them it could not be loaded into an empty database.
 *
 * @param table of kind `hypertable`
 * @throws UserError when the table is not there or is no hypertable, or tables refer to each other in a circle
 */
export function chooseTables(all: readonly Table[], kind: ExportKind, table: string | undefined): Table[] {
  const ordered = loadOrder(all);
  if (kind === "full" || kind === "data") return ordered;
  if (kind === "schema") return ordered.filter(({ name }) => isLedger(name));
  const wanted = withReferenced(all, findHypertable(all, table));
  return ordered.filter(({ name }) => isLedger(name) || wanted.has(name));
}

function findHypertable(all: readonly Table[], name: string | undefined): string {
  const hypertables = all.filter(({ time }) => time !== undefined).map((table) => table.name);
  const fix = `name one with --table: ${hypertables.join(", ") || "there is none"}`;
  if (name === undefined) throw new UserError("--kind hypertable needs the hypertable's name", { fix });
  const found = all.find((table) => table.name === name);
  if (found === undefined) throw new UserError(`there is no table ${name}`, { fix });
  if (found.time === undefined)
    throw new UserError(`${name} is no hypertable`, { fix: `${fix}; or export everything: --kind full` });
  return name;
}

function withReferenced(all: readonly Table[], name: string): Set<string> {
  const found = new Set([name]);
  // A set yields what is added to it while it is walked.
  for (const next of found)
    for (const { name: table, references } of all)
      if (table === next) for (const reference of references) found.add(reference);
  return found;
}

/**
 * Tables behind those that they refer to, otherwise as they come.
 *
 * @throws UserError naming tables that refer to each other in a circle
 */
export function loadOrder(tables: readonly Table[]): Table[] {
  const ordered: Table[] = [];
  const placed = new Set<string>();
  const names = new Set(tables.map(({ name }) => name));
  let waiting = [...tables];
  while (waiting.length > 0) {
    const isReady = ({ references }: Table): boolean =>
      references.every((name) => placed.has(name) || !names.has(name));
    const next = waiting.find(isReady);
    if (next === undefined)
      throw new UserError(
        `no order to load these tables in, because their foreign keys form a circle: ${waiting.map(({ name }) => name).join(", ")}`,
        { fix: "back them up physically" },
      );
    ordered.push(next);
    placed.add(next.name);
    waiting = waiting.filter((table) => table !== next);
  }
  return ordered;
}

/** Columns that only one side has, or that have another type there; empty when both have the same. */
export function differingColumns(here: readonly Column[], there: readonly Column[]): string[] {
  const names = new Set([...here, ...there].map(({ name }) => name));
  const typeIn = (columns: readonly Column[], name: string): string | undefined =>
    columns.find((column) => column.name === name)?.type;
  return [...names].flatMap((name) => {
    const [a, b] = [typeIn(here, name), typeIn(there, name)];
    return a === b ? [] : [`${name} (${a ?? "missing"} and ${b ?? "missing"})`];
  });
}
