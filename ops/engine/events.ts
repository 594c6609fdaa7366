// What the engine reports, as a model that is easy to show: pure, no clock, no terminal.
import type { EngineEvent } from "@pulumi/pulumi/automation";

/** What happened (or, in a preview, would happen) to a resource. */
export type Change = "create" | "update" | "replace" | "delete" | "same";

/** One property that differs. `before` or `after` is absent when the property was added or removed. */
export interface PropertyChange {
  readonly property: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface ResourceModel {
  readonly urn: string;
  /** As a person knows it: `ms5:schema:Hypertable`. */
  readonly type: string;
  readonly name: string;
  readonly parent: string | undefined;
  readonly op: Change;
  readonly status: "running" | "done" | "failed";
  /** While it runs: how far it is, in its provider's words. */
  readonly progress?: string;
  readonly diff: readonly PropertyChange[];
  /** Of one of ours that goes: its inputs, masked. */
  readonly was?: Readonly<Record<string, unknown>>;
  /** Leaves the stack and stays where it is (`retainOnDelete`). */
  readonly kept?: boolean;
}

export interface Diagnostic {
  readonly severity: "info" | "warning" | "error";
  readonly resource?: string;
  /** The policy that is violated, where one is. */
  readonly policy?: string;
  readonly message: string;
}

export interface Counts {
  readonly created: number;
  readonly updated: number;
  readonly replaced: number;
  readonly deleted: number;
  readonly unchanged: number;
}

/** Everything known after some events; `resources` is by urn, in order of first appearance. */
export interface RunModel {
  readonly operation: string;
  readonly resources: ReadonlyMap<string, ResourceModel>;
  readonly counts: Counts;
  readonly diagnostics: readonly Diagnostic[];
  /** Stack outputs with secrets masked; undefined until the program has finished. */
  readonly outputs: Readonly<Record<string, unknown>> | undefined;
  /** Those of the last deployment; undefined where there was none. */
  readonly outputsBefore?: Readonly<Record<string, unknown>> | undefined;
}

/** The model before the first event of a `preview`, `up`, `refresh` or `destroy`. */
export function emptyRun(operation: string): RunModel {
  return {
    operation,
    resources: new Map(),
    counts: { created: 0, updated: 0, replaced: 0, deleted: 0, unchanged: 0 },
    diagnostics: [],
    outputs: undefined,
  };
}

type Step = NonNullable<EngineEvent["resourcePreEvent"]>["metadata"];

/** The model after one more event; the one given stays as it was. */
export function reduceEvent(model: RunModel, event: EngineEvent): RunModel {
  if (event.resourcePreEvent) return withStep(model, event.resourcePreEvent.metadata, "running");
  if (event.resOutputsEvent) return withStep(model, event.resOutputsEvent.metadata, "done");
  if (event.resOpFailedEvent) return withStep(model, event.resOpFailedEvent.metadata, "failed");
  if (event.diagnosticEvent) return withDiagnostic(model, event.diagnosticEvent);
  if (event.policyEvent) return withViolation(model, event.policyEvent);
  return model;
}

const counted: Record<Change, keyof Counts> = {
  create: "created",
  update: "updated",
  replace: "replaced",
  delete: "deleted",
  same: "unchanged",
};

function withStep(model: RunModel, step: Step, status: ResourceModel["status"]): RunModel {
  const op = changeOf(step.op);
  // The engine's own default providers are no resources of the program: Pulumi doesn't count them either.
  if (op === undefined || isDefaultProvider(step.urn)) return model;
  const known = model.resources.get(step.urn);
  const again = known?.status === "done" && status === "done";
  const diff = diffOf(step, op, model.operation);
  const next: ResourceModel = {
    urn: step.urn,
    type: displayType(step.type),
    name: nameOf(step.urn),
    parent: (step.new ?? step.old)?.parent || undefined,
    // The parts of a replacement come as steps of their own; together they are one replacement.
    op: known?.op === "replace" ? "replace" : op,
    status: known?.status === "failed" ? "failed" : status,
    diff: diff.length > 0 || known === undefined ? diff : known.diff,
    ...whatGoes(step, op),
  };
  const resources = new Map(model.resources).set(step.urn, next);
  const outputs =
    step.type === "pulumi:pulumi:Stack" && status === "done"
      ? stackOutputs(step, model.outputs)
      : model.outputs;
  const countIt = status === "done" && !again && isWhole(step);
  const field = counted[next.op];
  return {
    ...model,
    resources,
    outputs,
    outputsBefore: step.type === "pulumi:pulumi:Stack" ? masked(step.old?.outputs) : model.outputsBefore,
    counts: countIt ? { ...model.counts, [field]: model.counts[field] + 1 } : model.counts,
  };
}

/** A replacement is counted once, by its middle step; its create and delete halves are not counted. */
function isWhole(step: Step): boolean {
  return step.op !== "create-replacement" && step.op !== "delete-replaced";
}

function stackOutputs(step: Step, earlier: RunModel["outputs"]): RunModel["outputs"] {
  return masked(step.new?.outputs) ?? earlier;
}

function masked(values: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  return values === undefined ? undefined : (mask(values) as Record<string, unknown>);
}

function whatGoes({ old, type }: Step, op: Change): Pick<ResourceModel, "was" | "kept"> {
  if (op !== "delete" && op !== "replace") return {};
  const was = op === "delete" && displayType(type).startsWith("ms5:") ? masked(old?.inputs) : undefined;
  return { ...(was && { was }), ...(old?.retainOnDelete && { kept: true }) };
}

function changeOf(op: string): Change | undefined {
  switch (op) {
    case "create":
    case "import":
      return "create";
    case "update":
      return "update";
    case "replace":
    case "create-replacement":
    case "delete-replaced":
    case "import-replacement":
      return "replace";
    case "delete":
    case "discard":
      return "delete";
    case "same":
    case "refresh":
      return "same";
    default:
      return undefined;
  }
}

function isDefaultProvider(urn: string): boolean {
  return /::pulumi:providers:[^:]+::default(_[0-9_]+)?$/.test(urn);
}

/** `pulumi-nodejs:dynamic/schema:Hypertable` is how the engine spells our `ms5:schema:Hypertable`. */
export function displayType(type: string): string {
  return type.replace(/^pulumi-nodejs:dynamic\//, "ms5:");
}

/** `urn:pulumi:stack::project::type::name` → `name`. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

const shownSeverities = new Set<string>(["info", "info#err", "warning", "error"]);

function withDiagnostic(model: RunModel, event: NonNullable<EngineEvent["diagnosticEvent"]>): RunModel {
  // Debug messages carry inputs and outputs in plain text.
  if (!shownSeverities.has(event.severity)) return model;
  if (event.ephemeral) return withProgress(model, event);
  const message = stripMarkup(event.message).trim();
  if (message === "" || isNoise(message)) return model;
  const diagnostic: Diagnostic = {
    severity: event.severity === "info#err" ? "info" : event.severity,
    ...(event.urn ? { resource: nameOf(event.urn) } : {}),
    message,
  };
  const last = model.diagnostics.at(-1);
  if (last?.message === message && last.severity === diagnostic.severity) return model;
  return { ...model, diagnostics: [...model.diagnostics, diagnostic] };
}

/** Of what the policy packs found: what is mandatory has failed the run, what is advisory only says so. */
function withViolation(model: RunModel, event: NonNullable<EngineEvent["policyEvent"]>): RunModel {
  const diagnostic: Diagnostic = {
    severity: event.enforcementLevel === "mandatory" ? "error" : "warning",
    ...(event.resourceUrn ? { resource: nameOf(event.resourceUrn) } : {}),
    policy: event.policyName,
    message: `${stripMarkup(event.message).trim()} (policy ${event.policyName})`,
  };
  return { ...model, diagnostics: [...model.diagnostics, diagnostic] };
}

function withProgress(model: RunModel, event: NonNullable<EngineEvent["diagnosticEvent"]>): RunModel {
  const known = model.resources.get(event.urn ?? "");
  if (known?.status !== "running") return model;
  const { progress: _, ...resource } = known;
  const message = stripMarkup(event.message).trim();
  const next = message === "" ? resource : { ...resource, progress: message };
  return { ...model, resources: new Map(model.resources).set(known.urn, next) };
}

/** Colour directives such as `<{%fg 1%}>`, which mean something to Pulumi's own display only. */
export function stripMarkup(text: string): string {
  return text.replace(/<\{%.*?%\}>/g, "");
}

/** What Pulumi says about our own arrangements (shims on the PATH), and what only repeats the error before it. */
function isNoise(message: string): boolean {
  return (
    /^using pulumi-(resource|analyzer)-\S+ from \$PATH at /.test(message) ||
    /^(update|preview|refresh|destroy) (failed|canceled)$/.test(message)
  );
}

// ---- before → after -------------------------------------------------------------------------------------------

/** How Pulumi marks a secret, an output or an asset inside plain JSON. */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Never shown: the code of a dynamic provider, and bookkeeping of bridged ones. */
const hiddenKeys = new Set(["__provider", "__defaults", "__meta"]);

function diffOf(step: Step, op: Change, operation: string): PropertyChange[] {
  const old = step.old ?? undefined;
  const now = step.new ?? undefined;
  // Only ours: a bridged plugin fills its inputs up with a dozen defaults, a provider's are where to log in.
  if (op === "create") return displayType(step.type).startsWith("ms5:") ? newValues(now?.inputs) : [];
  if ((op !== "update" && op !== "replace") || old === undefined || now === undefined) return [];
  // The outputs of a Kubernetes object are all that the cluster notes about it; its inputs say what drifted.
  const isObject = step.type.startsWith("kubernetes:");
  // In a refresh the program has no say: what was read differs from what was known.
  if (operation === "refresh" && !isObject) return diffValues(old.outputs, now.outputs);
  const byInputs = diffValues(old.inputs, now.inputs);
  if (byInputs.length > 0) return byInputs;
  // The program asks for what it asked for before; reality (the old outputs) is what differs.
  const drifted = isObject ? [] : diffValues(pick(old.outputs, now.inputs), now.inputs);
  if (drifted.length > 0) return drifted;
  // A changed secret is masked on both sides: only the provider can say that it changed.
  return Object.keys(step.detailedDiff ?? {}).map((property) => ({
    property,
    before: "[secret]",
    after: "[secret]",
  }));
}

/** Interesting in what changes, not in what is new. */
const bookkeeping = new Set(["engineVersion"]);

/** What a new resource is made of; a map of things, e.g. migration files, one by one. */
function newValues(inputs: Record<string, unknown> | undefined): PropertyChange[] {
  const shown = Object.entries((mask(inputs) ?? {}) as Record<string, unknown>);
  return shown
    .filter(([key, value]) => !bookkeeping.has(key) && value !== null && value !== undefined)
    .flatMap(([key, value]) =>
      isRecord(value)
        ? Object.entries(value).map(([name, item]) => ({ property: `${key}.${name}`, after: item }))
        : [{ property: key, after: value }],
    );
}

function pick(from: Record<string, unknown> | undefined, keysOf: Record<string, unknown> | undefined) {
  const known = Object.entries(from ?? {}).filter(([key]) => keysOf !== undefined && key in keysOf);
  return Object.fromEntries(known);
}

/** The properties, by path, in which two values differ. Secrets are masked, unknown values said to be so. */
export function diffValues(before: unknown, after: unknown): PropertyChange[] {
  const changes: PropertyChange[] = [];
  compare(mask(before) ?? {}, mask(after) ?? {}, "", changes);
  return changes;
}

function compare(before: unknown, after: unknown, path: string, changes: PropertyChange[]): void {
  if (isRecord(before) && isRecord(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(before[key], after[key], path === "" ? key : `${path}.${key}`, changes);
    }
    return;
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    before.forEach((item, index) => {
      compare(item, after[index], `${path}[${index}]`, changes);
    });
    return;
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  changes.push({
    property: path,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A copy fit for eyes and logs: no secret, no provider code. */
export function mask(value: unknown): unknown {
  if (value === unknownValue) return "[known after up]";
  if (Array.isArray(value)) return value.map(mask);
  if (!isRecord(value)) return value;
  if (value[signatureKey] === secretSignature) return "[secret]";
  const shown = Object.entries(value).filter(([key]) => !hiddenKeys.has(key));
  return Object.fromEntries(shown.map(([key, item]) => [key, mask(item)]));
}
