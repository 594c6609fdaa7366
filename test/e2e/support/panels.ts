// Asks a Prometheus every query of every panel, as Grafana would, and says which show nothing.
import type { Dashboard, Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";

export interface PanelOptions {
  /** What `$__rate_interval` stands for, e.g. `10s` where scrapes are fast. @default what Grafana makes of the panel's interval */
  readonly rateInterval?: string;
  /** What `$__range` stands for: the time that is shown. @default "1h" */
  readonly range?: string;
  /** Queries that may be empty. @default {@link expectedEmpty} */
  readonly expectedEmpty?: readonly ExpectedEmpty[];
}

export interface ExpectedEmpty {
  readonly dashboard: string;
  readonly panel: string;
  readonly query: string;
  readonly because: string;
}

/** What a healthy system has nothing of. All other panels say 0 then. */
export const expectedEmpty: readonly ExpectedEmpty[] = [
  {
    dashboard: "ms5-replication",
    panel: "Certificates and logins",
    query: "B",
    because: "a login ends only where somebody has given its password an end (VALID UNTIL)",
  },
];

/** A query of a panel, and what it is called in messages. */
interface Asked {
  readonly name: string;
  readonly expr: string;
  readonly mayBeEmpty: boolean;
}

/**
 * The queries that show nothing: an error, no series, or only NaN and infinite values. Each as one line that names the dashboard,
 * the panel, the query, and why. With every variable at "All", for the present moment.
 */
export async function emptyPanels(
  prometheusUrl: string,
  dashboards: readonly Dashboard[],
  options: PanelOptions = {},
): Promise<string[]> {
  const answers = await Promise.all(
    dashboards
      .flatMap((dashboard) => asked(dashboard, options))
      .map(async (query) => ({ ...query, problem: await problemOf(prometheusUrl, query.expr) })),
  );
  return answers.flatMap(({ name, expr, mayBeEmpty, problem }) =>
    problem === undefined || mayBeEmpty ? [] : [`${name}: ${problem}: ${oneLine(expr)}`],
  );
}

/** Those that show something, by the same names: `ms5-overview: Deadlocks: A`. */
export async function shownQueries(
  prometheusUrl: string,
  dashboards: readonly Dashboard[],
  options: PanelOptions = {},
): Promise<string[]> {
  const queries = dashboards.flatMap((dashboard) => asked(dashboard, options));
  const problems = await Promise.all(queries.map(({ expr }) => problemOf(prometheusUrl, expr)));
  return queries.filter((_, index) => problems[index] === undefined).map(({ name }) => name);
}

/** Marks and choices: queries that answer, even if with nothing; and choices that offer something. As {@link emptyPanels}. */
export async function brokenVariablesAndMarks(
  prometheusUrl: string,
  dashboards: readonly Dashboard[],
): Promise<string[]> {
  const problems: string[] = [];
  for (const { uid, templating, annotations } of dashboards) {
    for (const { name, query } of templating.list ?? []) {
      const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(String(query)) ?? [];
      if (metric === undefined || label === undefined) continue;
      const problem = await problemOf(prometheusUrl, `count by (${label}) (${metric}{${label}!=""})`);
      if (problem !== undefined) problems.push(`${uid}: variable ${name}: ${problem}`);
    }
    for (const { name, expr = "" } of annotations.list ?? []) {
      const problem = await problemOf(prometheusUrl, expr);
      if (problem?.startsWith("error")) problems.push(`${uid}: mark ${name}: ${problem}`);
    }
  }
  return problems;
}

function asked(dashboard: Dashboard, options: PanelOptions): Asked[] {
  const variables = (dashboard.templating.list ?? []).map(({ name }) => name);
  const panels = (dashboard.panels ?? []).filter((panel): panel is Panel => panel.type !== "row");
  return panels.flatMap((panel) =>
    ((panel.targets ?? []) as unknown as Dataquery[]).map(({ expr, refId = "" }) => ({
      name: `${dashboard.uid}: ${panel.title}: ${refId}`,
      expr: substituted(expr, panel, variables, options),
      mayBeEmpty: (options.expectedEmpty ?? expectedEmpty).some(
        (expected) =>
          expected.dashboard === dashboard.uid && expected.panel === panel.title && expected.query === refId,
      ),
    })),
  );
}

function substituted(
  expr: string,
  panel: Panel,
  variables: readonly string[],
  options: PanelOptions,
): string {
  // Grafana's own rule: four intervals of scrapes.
  const rateInterval = options.rateInterval ?? `${4 * Number.parseInt(panel.interval ?? "", 10)}s`;
  const known = expr
    .replaceAll("$__rate_interval", rateInterval)
    .replaceAll("$__range", options.range ?? "1h");
  return variables.reduce((text, name) => text.replaceAll(`$${name}`, ".*"), known);
}

interface Answer {
  readonly status: "success" | "error";
  readonly error?: string;
  readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

/** undefined when there is at least one number. */
async function problemOf(prometheusUrl: string, expr: string): Promise<string | undefined> {
  const response = await fetch(`${prometheusUrl}/api/v1/query`, {
    method: "POST",
    body: new URLSearchParams({ query: expr }),
    signal: AbortSignal.timeout(30_000),
  });
  const { status, error, data } = (await response.json()) as Answer;
  if (status === "error") return `error: ${error}`;
  const values = data?.result.map(({ value }) => Number(value[1])) ?? [];
  if (values.length === 0) return "no series";
  return values.some(Number.isFinite) ? undefined : `only ${[...new Set(values)].join(", ")}`;
}

function oneLine(expr: string): string {
  return expr.replaceAll(/\s+/g, " ");
}
