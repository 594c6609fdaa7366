// How a run looks to a person. Strings in, strings out; live.ts puts them on a terminal.
import { styleText } from "node:util";
import type { Change, Counts, PropertyChange, ResourceModel, RunModel } from "./events";
import type { StackResult } from "./stack";

export interface Look {
  readonly color: boolean;
}

type Style = Parameters<typeof styleText>[0];

const symbols: Record<Change, string> = { create: "+", update: "~", replace: "±", delete: "-", same: " " };
const styles: Record<Change, Style> = {
  create: "green",
  update: "yellow",
  replace: "magenta",
  delete: "red",
  same: "dim",
};
const doing: Record<Change, string> = {
  create: "creating",
  update: "updating",
  replace: "replacing",
  delete: "deleting",
  same: "checking",
};
const done: Record<Change, string> = {
  create: "created",
  update: "updated",
  replace: "replaced",
  delete: "deleted",
  same: "unchanged",
};

const refreshed: Partial<Record<Change, string>> = { same: "as recorded", delete: "is gone" };

/** Longest value shown, in characters; the rest is in the config or the SQL file. */
const longestValue = 72;

function paint(look: Look, style: Style, text: string): string {
  return look.color ? styleText(style, text, { validateStream: false }) : text;
}

/** One line about one resource, for output that cannot be rewritten (a pipe, a CI log). */
export function progressLine(resource: ResourceModel, operation: string, look: Look): string {
  const label = `${symbols[resource.op]} ${resource.type} ${resource.name}`;
  return `${paint(look, styles[resource.op], label)} ${statusText(resource, operation)}`;
}

function statusText(resource: ResourceModel, operation: string): string {
  if (resource.status === "failed") return "failed";
  if (resource.status === "running") {
    const progress = resource.progress?.replaceAll(/\s+/g, " ");
    return progress === undefined ? `${doing[resource.op]} …` : `${doing[resource.op]} … ${progress}`;
  }
  if (operation === "preview") return resource.op === "same" ? "unchanged" : `to be ${done[resource.op]}`;
  // A refresh changes what Pulumi knows, never what is there.
  if (operation === "refresh") return refreshed[resource.op] ?? "differs from what was recorded";
  return done[resource.op];
}

/** The live tree, at most `height` lines: when there is too much, what runs and what came last is kept. */
export function progressTree(model: RunModel, height: number, look: Look): string[] {
  const lines = tree(
    model,
    (resource) => resource.op !== "same" || resource.status === "running",
    (resource, indent) => [`${indent}${progressLine(resource, model.operation, look)}`],
  );
  const footer = summaryCounts(model.counts);
  const room = Math.max(height - 1, 1);
  return [...(lines.length > room ? lines.slice(-room) : lines), paint(look, "dim", footer)];
}

/** What changed, as a tree, each property as before → after. */
export function changeTree(model: RunModel, look: Look): string[] {
  return tree(
    model,
    (resource) => resource.op !== "same",
    (resource, indent) => [
      `${indent}${progressLine(resource, model.operation, look)}`,
      ...resource.diff.map(
        (change) => `${indent}    ${resource.op === "create" ? newLine(change) : changeLine(change)}`,
      ),
    ],
  );
}

function tree(
  model: RunModel,
  wanted: (resource: ResourceModel) => boolean,
  show: (resource: ResourceModel, indent: string) => string[],
): string[] {
  const shown = new Set<string>();
  for (const resource of model.resources.values()) {
    if (!wanted(resource)) continue;
    // With its ancestors, so that a reader sees where it belongs.
    for (let at: ResourceModel | undefined = resource; at && !shown.has(at.urn); ) {
      shown.add(at.urn);
      at = at.parent === undefined ? undefined : model.resources.get(at.parent);
    }
  }
  const parts = [...model.resources.values()].filter(({ urn }) => shown.has(urn));
  const walk = (of: string, indent: string): string[] =>
    parts
      .filter(({ parent }) => (parent !== undefined && shown.has(parent) ? parent : "") === of)
      .flatMap((resource) => [...show(resource, indent), ...walk(resource.urn, `${indent}  `)]);
  return walk("", "");
}

/** One property as before → after, on one line. */
export function changeLine({ property, before, after }: PropertyChange): string {
  if (isText(before) && isText(after)) return `${property}: ${textChange(before, after)}`;
  const from = before === undefined ? "(none)" : shortValue(before);
  const to = after === undefined ? "(none)" : shortValue(after);
  return `${property}: ${from} → ${to}`;
}

/** One property of what was not there before. */
function newLine({ property, after }: PropertyChange): string {
  return `${property}: ${shortValue(after)}`;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.includes("\n");
}

/** Two long texts look alike from their beginnings: say where they part. */
function textChange(before: string, after: string): string {
  const old = before.split("\n");
  const now = after.split("\n");
  const line = now.findIndex((text, index) => text !== old[index]);
  const at = line === -1 ? now.length : line;
  return `line ${at + 1}: ${shortValue(old[at]?.trim() ?? "(none)")} → ${shortValue(now[at]?.trim() ?? "(none)")}`;
}

function shortValue(value: unknown): string {
  if (typeof value === "string") {
    if (/^[0-9a-f]{64}$/.test(value)) return `${value.slice(0, 12)}…`;
    const [first = "", ...more] = value.split("\n");
    return more.length > 0 ? `${cut(first)} … (${more.length + 1} lines)` : cut(value);
  }
  return cut(JSON.stringify(value) ?? String(value));
}

function cut(text: string): string {
  return text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text;
}

function summaryCounts(counts: Counts): string {
  const { created, updated, replaced, deleted, unchanged } = counts;
  return `created ${created}, updated ${updated}, replaced ${replaced}, deleted ${deleted}, unchanged ${unchanged}`;
}

/** `created 3, updated 1, replaced 0, deleted 0, unchanged 24 (4.1 s)` */
export function summaryLine(counts: Counts, seconds: number): string {
  return `${summaryCounts(counts)} (${seconds.toFixed(1)} s)`;
}

const headings: Record<StackResult["operation"], string> = {
  preview: "Preview of stack",
  up: "Up of stack",
  refresh: "Refresh of stack",
  destroy: "Destroy of stack",
};

/** The whole report for a person, ending in a line break. */
export function report(result: StackResult, model: RunModel, look: Look): string {
  const changes = changeTree(model, look);
  const diagnostics = result.diagnostics.map(({ severity, resource, message }) => {
    const style: Style = severity === "error" ? "red" : severity === "warning" ? "yellow" : "dim";
    return `${paint(look, style, severity)}${resource === undefined ? "" : ` ${resource}`}: ${message}`;
  });
  const outputs = Object.entries(result.outputs).map(([name, value]) => `  ${name}: ${outputValue(value)}`);
  const sections = [
    [paint(look, "bold", `${headings[result.operation]} ${result.stack}${verdict(result)}`)],
    changes,
    diagnostics,
    [summaryLine(result.resources, result.seconds)],
    outputs.length > 0 ? ["Outputs:", ...outputs] : [],
  ];
  const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return `${text.join("\n\n")}\n`;
}

function verdict(result: StackResult): string {
  if (result.result === "failed" && result.operation === "preview")
    return " failed: nothing has been changed";
  if (result.result === "failed")
    return " failed; what was done is recorded, and running it again carries on";
  if (result.result === "interrupted") return " was interrupted; running it again carries on";
  return result.operation === "preview" ? ": nothing has been changed" : "";
}

function outputValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
