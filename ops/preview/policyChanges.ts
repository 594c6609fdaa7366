// The policies of tables and aggregates that change, as before and after: what a database engineer reviews.
import type { PropertyChange, ResourceModel, RunModel } from "../engine/events";

export interface PolicyChange {
  /** `metric_hist` */
  readonly of: string;
  /** `retention: delete after` */
  readonly setting: string;
  /** undefined: there is none. */
  readonly before: unknown;
  readonly after: unknown;
}

/** By kind of resource, how its settings are called. Settings that are not named are no policy. */
const settings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "ms5:schema:RetentionPolicy": { dropAfter: "retention: delete after", schedule: "retention: look every" },
  "ms5:schema:ColumnstorePolicy": { after: "columnstore: after", schedule: "columnstore: look every" },
  "ms5:schema:RefreshPolicy": {
    startOffset: "refresh: from",
    endOffset: "refresh: until",
    schedule: "refresh: every",
  },
  "ms5:schema:ReorderPolicy": { index: "reorder: by index" },
  "ms5:schema:Hypertable": { chunkInterval: "chunk interval", columnstore: "columnstore" },
  "ms5:schema:ContinuousAggregate": { realtime: "real-time", columnstore: "columnstore" },
};

/** New tables and aggregates bring their settings along: those are listed with what is new, their policies here. */
export function policyChanges(model: RunModel): PolicyChange[] {
  return [...model.resources.values()].flatMap((resource) => {
    const named = settings[resource.type];
    const isPolicy = resource.type.endsWith("Policy");
    const listed = resource.op === "update" || resource.op === "replace" || isPolicy;
    if (named === undefined || resource.op === "same" || !listed) return [];
    return valuesOf(resource).flatMap(({ property, before, after }) => {
      const [top = "", ...below] = property.split(/(?=[.[])/);
      const name = named[top];
      const setting = below.length === 0 ? name : `${name} ${below.join("").replace(/^\./, "")}`;
      return name === undefined
        ? []
        : [{ of: relationOf(resource), setting: setting ?? name, before, after }];
    });
  });
}

function valuesOf({ op, diff, was }: ResourceModel): readonly PropertyChange[] {
  if (op !== "delete") return diff;
  return Object.entries(was ?? {}).map(([property, before]) => ({ property, before }));
}

/** The program names a policy `TABLE-KIND`. */
function relationOf({ name }: ResourceModel): string {
  return name.replace(/-(retention|columnstore|refresh|reorder)$/, "");
}
