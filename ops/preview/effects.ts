// What a preview's changes come to for the clients of the database: the table of effects, applied.
import type { PropertyChange, ResourceModel, RunModel } from "../engine/events";
import type { StackResult } from "../engine/stack";
import { type Effect, type EffectRow, effects } from "./effectRow";
import { effectTable } from "./effectTable";

/** What one change does. */
export interface Prediction {
  readonly resource: ResourceModel;
  /** What of the resource changes, as far as this is about it. */
  readonly changes: readonly PropertyChange[];
  readonly effect: Effect;
  /** False where the table says nothing: `effect` is then the worst there is reason to expect. */
  readonly known: boolean;
  /** See {@link EffectRow}. */
  readonly seconds?: number | undefined;
  readonly what: string;
  readonly why: string;
  readonly restarts?: string | undefined;
  readonly loses?: string | undefined;
}

/** A stack that is not there yet has no clients: nothing it makes is seen by any. */
export function isFirstDeployment(model: RunModel): boolean {
  return [...model.resources.values()].some(
    ({ type, op }) => type === "pulumi:pulumi:Stack" && op === "create",
  );
}

/** What a preview says would happen, change by change, in the order of the model. */
export function predict(model: RunModel): Prediction[] {
  if (isFirstDeployment(model)) return [];
  return [...model.resources.values()].filter(matters).flatMap(predictionsOf);
}

/** A component only groups others, and a stack is all of them. */
function matters({ op, type, urn }: ResourceModel): boolean {
  if (op === "same" || type === "pulumi:pulumi:Stack") return false;
  return !type.startsWith("ms5:") || /[$:]pulumi-nodejs:dynamic\//.test(urn);
}

function predictionsOf(resource: ResourceModel): Prediction[] {
  const changes = resource.diff.length > 0 ? resource.diff : [{ property: "" }];
  // An update is as many things as it has properties; to be made anew or to go is one.
  if (resource.op !== "update") {
    const row = effectTable.find((one) => changes.some((change) => fits(one, resource, change)));
    const about = changes.filter((change) => row !== undefined && fits(row, resource, change));
    return [prediction(resource, about, row)];
  }
  const byRow = new Map<EffectRow | undefined, PropertyChange[]>();
  for (const change of changes) {
    const row = effectTable.find((one) => fits(one, resource, change));
    byRow.set(row, [...(byRow.get(row) ?? []), change]);
  }
  return [...byRow].map(([row, about]) => prediction(resource, about, row));
}

function fits(row: EffectRow, resource: ResourceModel, change: PropertyChange): boolean {
  return (
    row.ops.some((op) => op === resource.op) &&
    textPattern(row.type).test(resource.type) &&
    (row.names === undefined || row.names.some((name) => textPattern(name).test(resource.name))) &&
    (row.property === undefined || pathPattern(row.property).test(change.property)) &&
    (row.when === undefined || row.when.holds(change, resource))
  );
}

/** `*` is any text. */
function textPattern(pattern: string): RegExp {
  return new RegExp(`^${pattern.split("*").map(literally).join(".*")}$`);
}

/** `*` is anything within one step of a path, `.**` at the end all that is below. */
function pathPattern(pattern: string): RegExp {
  const [, path = pattern, below] = /^(.*?)(\.\*\*)?$/.exec(pattern) ?? [];
  const steps = path.split("*").map(literally).join("[^.[\\]]*");
  return new RegExp(`^${steps}${below === undefined ? "" : "(?:[.[].*)?"}$`, "s");
}

function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function prediction(
  resource: ResourceModel,
  changes: readonly PropertyChange[],
  row: EffectRow | undefined,
): Prediction {
  if (row === undefined) return { resource, changes, ...unlisted(resource) };
  const { effect, seconds, what, why, restarts, loses } = row;
  return { resource, changes, known: true, effect, seconds, what, why, restarts, loses };
}

/** What is new is used by nobody yet. Of other changes that the table does not know the worst is to be expected. */
function unlisted({ op }: ResourceModel): Pick<Prediction, "effect" | "known" | "what" | "why"> {
  if (op === "create") return { known: true, effect: "none", what: "it is new", why: "nobody uses it yet" };
  const why = "the table of effects does not know this change: look it up before you merge";
  return op === "update"
    ? { known: false, effect: "stall", what: "changed in place", why }
    : { known: false, effect: "outage", what: op === "replace" ? "made anew" : "deleted", why };
}

/** The worst first; where nobody knows how long, before what is limited. */
export function worstFirst(predictions: readonly Prediction[]): Prediction[] {
  const rank = ({ effect, seconds }: Prediction) =>
    effects.indexOf(effect) * 1_000_000 + Math.min(seconds ?? 999_999, 999_999);
  return [...predictions].sort((a, b) => rank(b) - rank(a));
}

/** What clients will see of all of it, in a few words: `clients will see a short stall (≤ 6 s)`. */
export function clientsWill(predictions: readonly Prediction[]): string {
  const unknown = predictions.filter(({ known }) => !known).length;
  const [worst] = worstFirst(predictions.filter(({ known }) => known));
  const known = worst === undefined && unknown > 0 ? undefined : describe(worst);
  const more = `${unknown} ${unknown === 1 ? "change is" : "changes are"} not in the table of effects`;
  if (known === undefined) return `what clients will see is unknown: ${more}`;
  return unknown === 0 ? known : `${known}, as far as is known: ${more}`;
}

/** For the end of a report on a preview; empty where there is nothing to say of clients. */
export function clientsLine({ operation, result }: StackResult, model: RunModel): string {
  const changes = [...model.resources.values()].some(({ op }) => op !== "same");
  const says = operation === "preview" && result === "succeeded" && changes && !isFirstDeployment(model);
  if (!says) return "";
  const predictions = predict(model);
  const text = clientsWill(predictions);
  const lost = predictions.some(({ loses }) => loses !== undefined) ? "; data is deleted" : "";
  return `\n${text[0]?.toUpperCase()}${text.slice(1)}${lost}.\n`;
}

function describe(worst: Prediction | undefined): string {
  switch (worst?.effect) {
    case undefined:
    case "none":
      return "clients will not notice";
    case "reconnect":
      return "clients will have to reconnect";
    case "stall":
      return worst?.seconds === undefined
        ? "clients may see a stall"
        : `clients will see a short stall (≤ ${worst.seconds} s)`;
    case "read-only":
      return "clients will not be able to write";
    case "outage":
      return "clients will see an outage";
  }
}
