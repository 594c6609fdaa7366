// The benchmark's three tables. Pure.
import {
  type Machine,
  machineText,
  markdownTable,
  measuredText,
  number,
  type Result,
  settingsText,
  textTable,
} from "../report";

export interface MonitoringReport {
  readonly name: "monitoring";
  readonly machine: Machine;
  /** ISO. */
  readonly date: string;
  readonly command: string;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly sections: readonly Section[];
  /** A sentence for each fault that nobody was told of. */
  readonly notTold: readonly string[];
}

export interface Section {
  readonly title: string;
  readonly results: readonly Result[];
}

const columns = ["case", "median", "min–max", "runs", "ratio"];

/** For a terminal. */
export function toTables(report: MonitoringReport): string {
  return [
    `${report.name}: ${machineText(report)}`,
    settingsText(report),
    ...report.sections.flatMap(({ title, results }) => [
      "",
      title,
      "",
      ...textTable([columns, ...results.map(cells)]),
    ]),
  ].join("\n");
}

/** For docs/benchmarks.md. */
export function toMarkdown(report: MonitoringReport): string {
  return [
    measuredText(report),
    settingsText(report),
    ...report.sections.flatMap(({ title, results }) => [
      "",
      `${title}:`,
      "",
      ...markdownTable([columns, ...results.map(cells)]),
    ]),
  ].join("\n");
}

function cells(result: Result): string[] {
  if ("notMeasured" in result) return [result.case, result.notMeasured, "", "", ""];
  const { median, min, max, runs, unit, ratio } = result;
  return [
    result.case,
    `${number(median)} ${unit}`,
    runs === 1 ? "" : `${number(min)}–${number(max)}`,
    `${runs}`,
    ratio === undefined ? "" : `${number(ratio.value)}× ${ratio.of}`,
  ];
}
