import type { Summary } from "./measure";

export const benchNames = ["ingest", "query", "compression", "schema"] as const;
export type BenchName = (typeof benchNames)[number];

/** One line of a benchmark. */
export type Result = Measured | NotMeasured;

export interface Measured extends Summary {
  readonly case: string;
  readonly unit: string;
  /** How many times better, or which part, than the case it is compared with: `of`. */
  readonly ratio?: { readonly value: number; readonly of: string };
  readonly goal?: string;
  readonly met?: boolean;
}

export interface NotMeasured {
  readonly case: string;
  readonly notMeasured: string;
}

export interface Machine {
  readonly cpus: string;
  readonly memory: string;
  readonly node: string;
  readonly os: string;
}

export interface Report {
  /** `restore` has a command of its own: it needs a cluster. */
  readonly name: BenchName | "restore";
  readonly machine: Machine;
  /** ISO. */
  readonly date: string;
  readonly command: string;
  /** What someone needs to know to measure the same again. */
  readonly settings: Readonly<Record<string, string | number>>;
  readonly results: readonly Result[];
}

const columns = ["case", "median", "min–max", "runs", "ratio", "goal", ""];

/** For a terminal. */
export function toTable(report: Report): string {
  return [
    `${report.name}: ${machineText(report)}`,
    settingsText(report),
    "",
    ...textTable([columns, ...report.results.map(cells)]),
    ...footnotes(report),
  ].join("\n");
}

/** Lines of a table for a terminal. @param rows the head first */
export function textTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** For docs/benchmarks.md. */
export function toMarkdown(report: Report): string {
  return [
    measuredText(report),
    settingsText(report),
    "",
    ...markdownTable([columns, ...report.results.map(cells)]),
    ...footnotes(report),
  ].join("\n");
}

/** Lines of a table for a document. @param rows the head first */
export function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const line = (texts: readonly string[]) =>
    `| ${texts.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(head.map(() => "---")), ...body.map(line)];
}

/** How, when and on what it was measured, for a document. */
export function measuredText(report: Pick<Report, "command" | "date" | "machine">): string {
  return `\`${report.command}\`, ${report.date.slice(0, 10)}, ${machineText(report)}.`;
}

export function machineText({ machine }: Pick<Report, "machine">): string {
  return `${machine.cpus}, ${machine.memory}, ${machine.os}, node ${machine.node}`;
}

export function settingsText({ settings }: Pick<Report, "settings">): string {
  return `${Object.entries(settings)
    .map(([name, value]) => `${name}: ${value}`)
    .join("; ")}.`;
}

/** Why what was not measured was not, below the table: a sentence in a cell would make it too wide to read. */
function footnotes({ results }: Report): string[] {
  const reasons = new Set(results.flatMap((result) => ("notMeasured" in result ? [result.notMeasured] : [])));
  return reasons.size === 0 ? [] : ["", ...[...reasons].map((reason) => `Not measured: ${reason}.`)];
}

function cells(result: Result): string[] {
  if ("notMeasured" in result) return [result.case, "not measured", "", "", "", "", ""];
  const { unit, ratio, goal, met } = result;
  return [
    result.case,
    `${number(result.median)} ${unit}`,
    result.runs === 1 ? "" : `${number(result.min)}–${number(result.max)}`,
    `${result.runs}`,
    ratio === undefined ? "" : `${number(ratio.value)}× ${ratio.of}`,
    goal ?? "",
    met === undefined ? "" : met ? "met" : "missed",
  ];
}

/** Three digits that count; whole numbers above a hundred. */
export function number(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 3;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}
