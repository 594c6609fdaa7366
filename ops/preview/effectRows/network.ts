// Network policies: what gets through.
import { takesAway } from "../conditions";
import { type EffectRow, podLossSeconds, update } from "../effectRow";

export const network: readonly EffectRow[] = [
  {
    type: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    ops: update,
    property: "spec.**",
    when: takesAway,
    effect: "outage",
    what: "what the rule let through is cut, unless another policy allows it; `ms5.io/why` on the policy says which flow that is",
    why: "its connections end and no new ones get through",
  },
  {
    type: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    ops: update,
    property: "spec.**",
    effect: "none",
    what: "more gets through",
    why: "what was allowed still is",
  },
  {
    type: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    names: ["*-default-deny"],
    ops: ["delete"],
    effect: "none",
    what: "the namespace is no longer closed",
    why: "what was allowed still is",
  },
  {
    type: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    ops: ["replace"],
    effect: "stall",
    seconds: podLossSeconds,
    what: "deleted and made anew",
    why: "for a moment its flow is cut, and packets are sent again",
  },
  {
    type: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    ops: ["delete"],
    effect: "outage",
    what: "its flow is cut, unless another policy allows it; `ms5.io/why` on the policy says which one that is",
    why: "its connections end and no new ones get through",
  },
];
