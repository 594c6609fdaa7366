// A row of the table of effects (effectTable.ts).
import type { Change } from "../engine/events";
import type { Condition } from "./conditions";

/** What clients of the database see, the worst last. */
export const effects = ["none", "reconnect", "stall", "read-only", "outage"] as const;
export type Effect = (typeof effects)[number];

export interface EffectRow {
  /** As a preview shows it; `*` stands for any text. */
  readonly type: string;
  /** Names of the resources it holds for; `*` as above. Default: all. */
  readonly names?: readonly string[];
  readonly ops: readonly Exclude<Change, "same">[];
  /** Path of what changes: `*` stands for one step, `.**` at the end for all that is below. Default: whatever changes. */
  readonly property?: string;
  readonly when?: Condition;
  readonly effect: Effect;
  /** Of a stall: how long it takes at most, in seconds. Without it nobody knows beforehand. */
  readonly seconds?: number;
  readonly what: string;
  readonly why: string;
  /** What runs and is started anew. */
  readonly restarts?: string;
  /** What is lost for good. `{after}` stands for the new value. */
  readonly loses?: string;
}

/** Longest stall measured for a switchover, on a busy machine (docs/benchmarks.md); the goal is 1 s. */
export const switchoverSeconds = 6;
/** Likewise for the pod of a primary that is deleted: a drained node does that to it. */
export const podLossSeconds = 5;

export const update = ["update"] as const;
export const gone = ["replace", "delete"] as const;
export const changed = ["update", "replace", "delete"] as const;
export const always = ["create", "update", "replace", "delete"] as const;
