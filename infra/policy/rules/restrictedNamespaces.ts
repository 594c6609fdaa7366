import { namespaceNames } from "../../kubernetes/namespaceNames";
import { kubernetesKind } from "../kubernetes";
import { demand, type ResourceRule } from "../rule";
import { at } from "../values";

const label = "pod-security.kubernetes.io/enforce";

export const restrictedNamespaces: ResourceRule = {
  name: "restricted-namespaces",
  description: "Namespaces refuse pods that are not restricted, whoever makes them",
  check({ type, values }) {
    if (kubernetesKind(type) !== "core:Namespace") return [];
    // Its pods read their nodes' /proc and /sys: what else they may is for restricted-pods to say.
    if (at(values, "metadata", "name") === namespaceNames.nodes) return [];
    return demand(
      `label ${label}`,
      at(values, "metadata", "labels", label),
      (value) => value === "restricted",
      'set it to "restricted" (infra/kubernetes/namespaces.ts)',
    );
  },
};
