// Previews as the engine would report them, for tests of what is made of them.
import {
  type Change,
  type Counts,
  emptyRun,
  type PropertyChange,
  type ResourceModel,
  type RunModel,
} from "../../ops/engine/events";
import type { StackResult } from "../../ops/engine/stack";

const stackUrn = "urn:pulumi:prod::ms5::pulumi:pulumi:Stack::ms5-prod";

/** @param type as a preview shows it */
export function resource(
  op: Change,
  type: string,
  name: string,
  diff: readonly PropertyChange[] = [],
  more: Partial<ResourceModel> = {},
): ResourceModel {
  // The engine's spelling of what our dynamic providers serve; components are spelt as shown.
  const raw = /^ms5:(schema|database):/.test(type) ? type.replace(/^ms5:/, "pulumi-nodejs:dynamic/") : type;
  const urn = `urn:pulumi:prod::ms5::${raw}::${name}`;
  return { urn, type, name, parent: stackUrn, op, status: "done", diff, ...more };
}

export function stackResource(op: Change): ResourceModel {
  const type = "pulumi:pulumi:Stack";
  return { urn: stackUrn, type, name: "ms5-prod", parent: undefined, op, status: "done", diff: [] };
}

/** Of a stack that is there already, unless its own resource is among them. */
export function modelOf(resources: readonly ResourceModel[], more: Partial<RunModel> = {}): RunModel {
  const all = resources.some(({ urn }) => urn === stackUrn)
    ? resources
    : [stackResource("same"), ...resources];
  return {
    ...emptyRun("preview"),
    counts: countsOf(all),
    resources: new Map(all.map((one) => [one.urn, one])),
    ...more,
  };
}

function countsOf(resources: readonly ResourceModel[]): Counts {
  const count = (op: Change) => resources.filter((one) => one.op === op).length;
  return {
    created: count("create"),
    updated: count("update"),
    replaced: count("replace"),
    deleted: count("delete"),
    unchanged: count("same"),
  };
}

export function resultOf(model: RunModel, more: Partial<StackResult> = {}): StackResult {
  return {
    operation: "preview",
    stack: "prod",
    result: "succeeded",
    engine: { pulumi: "3.256.0", standIns: [] },
    resources: model.counts,
    changes: [],
    outputs: {},
    diagnostics: model.diagnostics,
    seconds: 1,
    ...more,
  };
}
