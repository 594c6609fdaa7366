/** Nodes on which nothing runs but the database: their labels and taints, and what a pod needs to get there. */
import type { types } from "@pulumi/kubernetes";

const key = "ms5.io/pool";
const value = "database";

export const dedicatedNodes: {
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly string[];
  /** Of a pod. */
  readonly scheduling: Pick<types.input.core.v1.PodSpec, "nodeSelector" | "tolerations">;
} = {
  labels: { [key]: value },
  /** As AKS writes them. */
  taints: [`${key}=${value}:NoSchedule`],
  scheduling: {
    nodeSelector: { [key]: value },
    tolerations: [
      { key, operator: "Equal", value, effect: "NoSchedule" },
      // AKS puts it on nodes that Azure may take back.
      {
        key: "kubernetes.azure.com/scalesetpriority",
        operator: "Equal",
        value: "spot",
        effect: "NoSchedule",
      },
    ],
  },
};
