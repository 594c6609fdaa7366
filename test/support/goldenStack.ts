// A stack as a reviewer reads it: every resource with its inputs, in an order that does not depend on the run.
import { createHash } from "node:crypto";
import type { EngineEvent } from "@pulumi/pulumi/automation";
import { stringify } from "yaml";
import { displayType, mask, nameOf } from "../../ops/engine/events";

type Bag = Record<string, unknown>;

/** What the engine says of a resource that is to be there. */
export interface PlannedResource {
  readonly urn: string;
  /** As a person knows it. */
  readonly type: string;
  readonly name: string;
  readonly parent: string | undefined;
  readonly inputs: Bag;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
}

/** The resource of an event of a preview, if it is about one. */
export function plannedResource({ resourcePreEvent }: EngineEvent): PlannedResource | undefined {
  const state = resourcePreEvent?.metadata.new;
  if (state === undefined || state === null) return undefined;
  const { urn, type, parent, protect, inputs } = state;
  return {
    urn,
    type: displayType(type),
    name: nameOf(urn),
    parent: parent === "" ? undefined : parent,
    inputs,
    protect: protect ?? false,
    retainOnDelete: state.retainOnDelete ?? false,
  };
}

/** Lines and characters of a text beyond which its digest stands for it: such texts have tests of their own. */
const longestText = { lines: 12, characters: 4_000 };

/** YAML: one entry a resource, sorted; secrets masked; what plugins fill in, and what repeats on each resource, folded. */
export function goldenText(stack: string, resources: readonly PlannedResource[]): string {
  const shown = resources.filter(({ type }) => !type.startsWith("pulumi:providers:"));
  const commonTags = tagsOfMost(shown);
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const entries = shown
    .map((resource) => [`${resource.type} ${resource.name}`, entryOf(resource, byUrn, commonTags)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const kept = entries.filter(([, entry]) => Object.keys(entry).length > 0);
  const text = [
    `# Stack ${stack}: ${shown.length} resources. Written by test/stack/golden.test.ts; a change is for reviewing.`,
    ...(commonTags === undefined ? [] : [stringify({ "tags of all": commonTags })]),
    ...kept.map(([key, entry]) => stringify({ [key]: entry }, { lineWidth: 0 })),
  ];
  return text.join("\n");
}

function entryOf(
  { inputs, parent, protect, retainOnDelete }: PlannedResource,
  byUrn: ReadonlyMap<string, PlannedResource>,
  commonTags: Bag | undefined,
): Bag {
  return {
    ...(parent === undefined ? {} : { in: pathOf(parent, byUrn) }),
    ...(protect && { protect }),
    ...(retainOnDelete && { retainOnDelete }),
    ...folded(withoutDefaults(inputs), commonTags),
  };
}

/** `platform/aks` */
function pathOf(urn: string, byUrn: ReadonlyMap<string, PlannedResource>): string {
  const resource = byUrn.get(urn);
  if (resource === undefined || resource.parent === undefined) return "stack";
  const above = pathOf(resource.parent, byUrn);
  return above === "stack" ? resource.name : `${above}/${resource.name}`;
}

/** A bridged plugin notes which of the inputs are its own. */
function withoutDefaults(inputs: Bag): Bag {
  const defaults = new Set(Array.isArray(inputs.__defaults) ? inputs.__defaults : []);
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !defaults.has(name)));
}

function folded(inputs: Bag, commonTags: Bag | undefined): Bag {
  const masked = sorted(mask(inputs)) as Bag;
  if (commonTags === undefined || JSON.stringify(masked.tags) !== JSON.stringify(commonTags)) return masked;
  return { ...masked, tags: "those of all" };
}

/** Keys in alphabetical order, long texts by their digest. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value === "string") return shortened(value);
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted((value as Bag)[key])]));
}

function shortened(text: string): string {
  const lines = text.trimEnd().split("\n").length;
  if (lines <= longestText.lines && text.length <= longestText.characters) return text;
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return `(${lines === 1 ? `${text.length} characters` : `${lines} lines`}, sha256 ${digest}…)`;
}

function tagsOfMost(resources: readonly PlannedResource[]): Bag | undefined {
  const counts = new Map<string, number>();
  for (const { type, inputs } of resources) {
    if (!type.startsWith("azure-native:") || inputs.tags === undefined) continue;
    const tags = JSON.stringify(sorted(inputs.tags));
    counts.set(tags, (counts.get(tags) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  return most === undefined ? undefined : (JSON.parse(most[0]) as Bag);
}
