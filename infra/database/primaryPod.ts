import type { KubernetesSettings } from "../config";
import { namespaceNames } from "../kubernetes/namespaceNames";
import type { PodRoute } from "../schema/postgres";
import { activeColour, caConfigMap, credentialsSecret, memberLabels } from "./clusterNames";

/** The way to the pod that is the primary now, whichever that is. */
export function primaryPod({ kubeconfig, context }: KubernetesSettings): PodRoute {
  return {
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    namespace: namespaceNames.database,
    labels: { ...memberLabels(activeColour), role: "primary" },
    port: 5432,
    credentials: { secret: credentialsSecret(activeColour), ca: caConfigMap },
  };
}
