import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../paths";

/** From the hypertables, or from the continuous aggregates. */
export type Form = "raw" | "aggregate";

/** One file of `sql/queries/`: readable by psql (`:'name'` parameters) and, through {@link bind}, by `pg`. */
export interface QueryText {
  /** In the words of whoever asks. */
  readonly question: string;
  /** What each parameter means, in the order of the header. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Why there is no aggregate form; undefined where the header doesn't say. */
  readonly noAggregate: string | undefined;
  /** Without the header. */
  readonly sql: string;
}

/** A question a factory asks, in the one or two forms that answer it with the same rows. */
export interface NamedQuery {
  readonly name: string;
  readonly raw: QueryText;
  readonly aggregate: QueryText | undefined;
}

const folder = join(projectRoot, "sql", "queries");

/** All named queries, by name. */
export function loadQueries(): NamedQuery[] {
  return pairUp(
    readdirSync(folder)
      .filter((file) => file.endsWith(".sql"))
      .map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") })),
  );
}

/** @throws Error for a file name that is not `NAME.raw.sql` or `NAME.aggregate.sql`, a bad header, or forms that differ in their header. */
export function pairUp(files: readonly { file: string; text: string }[]): NamedQuery[] {
  const forms = new Map<string, Map<Form, QueryText>>();
  for (const { file, text } of files) {
    const [, name, form] = /^([a-z0-9-]+)\.(raw|aggregate)\.sql$/.exec(file) ?? [];
    if (name === undefined || form === undefined)
      throw new Error(`${file}: not NAME.raw.sql or NAME.aggregate.sql`);
    const own = forms.get(name) ?? new Map<Form, QueryText>();
    forms.set(name, own.set(form as Form, parseQuery(file, text)));
  }
  return [...forms.entries()]
    .sort(([a], [b]) => a.localeCompare(b, "en"))
    .map(([name, own]) => pair(name, own));
}

function pair(name: string, forms: ReadonlyMap<Form, QueryText>): NamedQuery {
  const raw = forms.get("raw");
  const aggregate = forms.get("aggregate");
  if (raw === undefined) throw new Error(`${name}: ${name}.raw.sql is missing`);
  if ((aggregate === undefined) === (raw.noAggregate === undefined)) {
    throw new Error(
      `${name}: either ${name}.aggregate.sql exists, or "-- aggregate: none, because …" stands in the raw form`,
    );
  }
  if (aggregate !== undefined && header(aggregate) !== header(raw)) {
    throw new Error(`${name}: question and parameters of its two forms differ`);
  }
  return { name, raw, aggregate };
}

function header({ question, parameters }: QueryText): string {
  return JSON.stringify([question, parameters]);
}

/** Reads one file. @throws Error when the header doesn't say the question and each parameter. */
export function parseQuery(file: string, text: string): QueryText {
  const lines = text.split(/\r?\n/);
  const end = lines.findIndex((line) => !line.startsWith("--"));
  const comments = lines.slice(0, end);
  const sql = lines.slice(end).join("\n").trim();
  const headerLine = (pattern: RegExp) =>
    comments.map((line) => pattern.exec(line)?.[1]).find((found) => found !== undefined);
  const question = headerLine(/^-- question: (.+)$/);
  if (question === undefined) throw new Error(`${file}: no "-- question: …" above the statement`);
  const parameters = Object.fromEntries(
    comments.flatMap((line) => {
      const [, name, meaning] = /^-- :([a-z_]+) +(.+)$/.exec(line) ?? [];
      return name === undefined || meaning === undefined ? [] : [[name, meaning]];
    }),
  );
  const used = [...new Set(placeholders(sql))];
  for (const name of used)
    if (!(name in parameters)) throw new Error(`${file}: :${name} is not explained in the header`);
  for (const name of Object.keys(parameters))
    if (!used.includes(name)) throw new Error(`${file}: :${name} is not used`);
  return { question, parameters, noAggregate: headerLine(/^-- aggregate: none, because (.+)$/), sql };
}

/** A cast (`::type`) is no placeholder: those are quoted, as psql writes them. */
const placeholder = /:'([a-z_]+)'/g;

function placeholders(sql: string): string[] {
  return [...sql.matchAll(placeholder)].map(([, name]) => name ?? "");
}

/**
 * The query as `pg` takes it.
 *
 * @param values by parameter name; those the query doesn't have are left out
 * @throws Error when the query has a parameter without a value
 */
export function bind(
  query: QueryText,
  values: Readonly<Record<string, string>>,
): { text: string; values: string[] } {
  const names = [...new Set(placeholders(query.sql))];
  const bound = names.map((name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for :${name}`);
    return value;
  });
  return {
    text: query.sql.replace(placeholder, (_, name: string) => `$${names.indexOf(name) + 1}`),
    values: bound,
  };
}
