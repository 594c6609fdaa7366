// The parts of the comment about what is lost, what restarts, and what clients see.
import type { Change, PropertyChange, ResourceModel, RunModel } from "../engine/events";
import { type Prediction, worstFirst } from "./effects";
import { atMost, code, folded, table } from "./markdown";
import { byType, cut, longestList, longestName, named, rest, things, value } from "./words";

export function losses(predictions: readonly Prediction[]): string | undefined {
  const losing = predictions.filter(({ loses }) => loses !== undefined);
  if (losing.length === 0) return undefined;
  const lines = atMost(longestList, losing, ({ resource, changes, loses = "" }) => {
    const limit = changes.map(({ after }) => after).find((after) => after !== undefined);
    return `- ${shown(resource)}: ${loses.replace("{after}", () => code(value(limit)))}`;
  });
  return ["> [!CAUTION]", "> Deleted for good:", ...lines.map((line) => `> ${line}`)].join("\n");
}

const kinds: Readonly<Record<Change, string>> = {
  create: "new",
  update: "changed",
  replace: "replaced",
  delete: "deleted",
  same: "unchanged",
};

function shown({ op, type, name }: ResourceModel): string {
  return `${code(`${type} ${cut(name, longestName)}`)} (${kinds[op]})`;
}

export function replacedOrRestarted(model: RunModel, predictions: readonly Prediction[]): string | undefined {
  const restarts = new Map<string, Prediction[]>();
  for (const one of worstFirst(predictions)) {
    if (one.restarts === undefined) continue;
    restarts.set(one.restarts, [...(restarts.get(one.restarts) ?? []), one]);
  }
  const replaced = byType([...model.resources.values()].filter(({ op }) => op === "replace"));
  const lines = [
    ...[...restarts].map(([what, because]) => `restarted: ${what}${causes(because)}`),
    ...[...replaced].map(
      ([type, resources]) => `replaced: ${code(type)} ${named(resources)}${reason(resources)}`,
    ),
  ];
  if (lines.length === 0) return undefined;
  return ["**Replaced or restarted**\n", ...atMost(longestList, lines, (line) => `- ${line}`)].join("\n");
}

function causes(because: readonly Prediction[]): string {
  const all = because.flatMap(({ resource, changes }) => {
    const properties = propertiesOf(changes);
    return properties.length === 0 ? [shown(resource)] : properties;
  });
  return `, because of ${atMost(5, [...new Set(all)], (text) => text).join(", ")}`;
}

/** Of many at once it would be a list of lists: the full diff has them. */
function reason(resources: readonly ResourceModel[]): string {
  const properties = resources.length === 1 ? propertiesOf(resources[0]?.diff ?? []) : [];
  return properties.length === 0 ? "" : `, because of ${atMost(5, properties, (text) => text).join(", ")}`;
}

/** A change of unknown kind has none. */
function propertiesOf(changes: readonly PropertyChange[]): string[] {
  return changes
    .filter(({ property }) => property !== "")
    .map(({ property }) => code(cut(property, longestName)));
}

/** Predictions of which the table says the same. */
interface Group {
  readonly first: Prediction;
  readonly all: Prediction[];
}

export function clients(predictions: readonly Prediction[]): string | undefined {
  const groups = grouped(predictions);
  const noticed = groups.filter(({ first }) => first.effect !== "none" || !first.known);
  const unnoticed = groups.filter((group) => !noticed.includes(group));
  const count = unnoticed.flatMap(({ all }) => all).length;
  const parts = [
    ...(noticed.length > 0 ? [`**What clients will notice**\n\n${effectTable(noticed)}`] : []),
    ...(unnoticed.length > 0
      ? [folded(`${things(count, "change")} that clients do not notice`, effectTable(unnoticed))]
      : []),
  ];
  return parts.length === 0 ? undefined : parts.join("\n\n");
}

function grouped(predictions: readonly Prediction[]): Group[] {
  const groups = new Map<string, Group>();
  for (const one of worstFirst(predictions)) {
    // What is new, and nothing else, is listed by kind.
    if (one.resource.op === "create" && one.effect === "none" && one.loses === undefined) continue;
    const key = [one.resource.type, one.known, one.effect, one.what].join("\n");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: one, all: [one] });
    else group.all.push(one);
  }
  return [...groups.values()];
}

function effectTable(groups: readonly Group[]): string {
  const rows = groups.slice(0, longestList).map(effectCells);
  return table(["clients", "what changes", "what happens", "why"], rows) + rest(groups);
}

function effectCells({ first, all }: Group): string[] {
  const { resource, effect, known, seconds, what, why } = first;
  const properties = all.length === 1 ? atMost(4, propertiesOf(first.changes), (text) => text) : [];
  const which = `${code(resource.type)} ${named(all.map((one) => one.resource))}`;
  const word = seconds === undefined ? effect : `${effect}, ≤ ${seconds} s`;
  return [
    known ? `**${word}**` : `**unknown**, at worst ${effect}`,
    properties.length === 0 ? which : `${which}: ${properties.join(", ")}`,
    what,
    why,
  ];
}
