import type { Finding } from "../validate/check";
import type { Highlights, MachineOee, MachineTelemetry } from "./highlights";
import type { StartResult } from "./result";

export interface ReportInput {
  readonly result: StartResult;
  readonly highlights: Highlights;
  readonly findings: readonly Finding[];
  /** How to connect, without a password. */
  readonly connection: string;
  /** Whether the database goes when the report is printed. */
  readonly once: boolean;
}

/** The report a person reads at the end of `npm start`; text in, text out. */
export function startReport({ result, highlights, findings, connection, once }: ReportInput): string {
  const { engine, database, resources, migrations, telemetry, compression, aggregates, validation } = result;
  const failed = findings.filter((finding) => !finding.passed);
  const sections = [
    heading(
      `A TimescaleDB with telemetry, ${resources.created > 0 ? "from nothing" : "as you left it"}, in ${result.seconds.toFixed(0)} s`,
    ),
    field("Engine", `Pulumi ${engine.pulumi}${standIns(engine.standIns)}`),
    field(
      "Database",
      `PostgreSQL ${database.postgres}, TimescaleDB ${database.timescaledb} ${edition(database.license)}, embedded`,
    ),
    field("Stack local", countsText(resources)),
    field("Migrations", `${migrations.applied} applied, ${migrations.pending} pending`),
    field("Telemetry", telemetryText(telemetry)),
    field("Columnstore", compressionText(compression)),
    field(
      "Aggregates",
      `${count(aggregates.metricHourlyRows)} hours of metrics, ${count(aggregates.oeeHourlyRows)} hours of OEE`,
    ),
    field("Validation", `${validation.checks} checks, ${validation.failed} failed`),
    ...failed.map((finding) => `  ${finding.severity.padEnd(12)}${finding.check}: ${finding.detail}`),
    ...(highlights.oee.length === 0
      ? []
      : ["", heading("OEE, last seven days"), ...oeeTable(highlights.oee)]),
    ...(highlights.machines.length === 0
      ? []
      : ["", heading("Telemetry"), ...telemetryTable(highlights.machines)]),
    "",
    ...(result.page === null ? [] : [field("Status page", result.page)]),
    ...(once ? [] : [field("Connect", `${connection}   (one client at a time)`)]),
    field("Next", "npm run preview -- prod, npm run ingest -- FILE.csv, npm run ops -- validate"),
    ...(once ? [] : [field("Stop", "Ctrl-C; the data stays in .local/")]),
  ];
  return `\n${sections.join("\n")}\n`;
}

function heading(text: string): string {
  return `${text}\n${"─".repeat(text.length)}`;
}

function field(name: string, value: string): string {
  return `  ${name.padEnd(12)}${value}`;
}

function standIns(names: readonly string[]): string {
  return names.length === 0 ? "" : ` (stand-ins for ${names.join(", ")})`;
}

function edition(license: string): string {
  return license === "timescale" ? "Community" : "Apache edition";
}

function countsText(counts: StartResult["resources"]): string {
  return Object.entries(counts)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => `${value} ${name}`)
    .join(", ");
}

function telemetryText({
  files,
  rows,
  rejected,
  duplicates,
  rowsPerSecond,
}: StartResult["telemetry"]): string {
  const source = files === 0 ? "a generated packaging line" : `${files} ${files === 1 ? "file" : "files"}`;
  const parts = [
    `${count(rows)} new samples of ${source}${rows === 0 ? "" : ` at ${count(rowsPerSecond)}/s`}`,
    ...(duplicates === 0 ? [] : [`${count(duplicates)} there already`]),
    ...(rejected === 0 ? [] : [`${count(rejected)} records rejected`]),
  ];
  return parts.join(", ");
}

function compressionText({ beforeBytes, afterBytes }: StartResult["compression"]): string {
  if (beforeBytes === 0) return "no chunk is old enough yet";
  return `${bytes(beforeBytes)} of rows became ${bytes(afterBytes)} of columns (${percent(afterBytes / beforeBytes, 1)})`;
}

/** A column as wide as its longest entry, and two spaces. */
function names(rows: readonly { readonly machine: string }[]): (machine: string) => string {
  const width = Math.max("machine".length, ...rows.map(({ machine }) => machine.length)) + 2;
  return (machine) => machine.padEnd(width);
}

function oeeTable(rows: readonly MachineOee[]): string[] {
  const name = names(rows);
  return [
    `  ${name("machine")}${"".padEnd(21)}   OEE   availability  performance  quality`,
    ...rows.map((row) =>
      [
        `  ${name(row.machine)}${bar(row.oee ?? 0)}`,
        percent(row.oee).padStart(6),
        percent(row.availability).padStart(13),
        percent(row.performance).padStart(12),
        percent(row.quality).padStart(8),
      ].join(" "),
    ),
  ];
}

function telemetryTable(rows: readonly MachineTelemetry[]): string[] {
  const day = (date: Date) => date.toISOString().slice(0, 10);
  const name = names(rows);
  return [
    `  ${name("machine")}${"metrics".padStart(7)}${"samples".padStart(13)}   from        to`,
    ...rows.map(
      (row) =>
        `  ${name(row.machine)}${count(row.metrics).padStart(7)}${count(row.samples).padStart(13)}   ${day(row.first)}  ${day(row.last)}`,
    ),
  ];
}

const barWidth = 20;

function bar(ratio: number): string {
  const filled = Math.round(Math.min(Math.max(ratio, 0), 1) * barWidth);
  return `${"█".repeat(filled)}${"░".repeat(barWidth - filled)} `;
}

function percent(ratio: number | null, digits = 0): string {
  return ratio === null ? "-" : `${(ratio * 100).toFixed(digits)} %`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Decimal units, as disks are sold and as `pg_size_pretty` does not. */
function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${size.toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}
