/** Which changes need a new object: the rules of the official plugin. */
import type { Bag } from "../values";

/** Paths without list positions; a change at or below one replaces the object. */
const byKind: Readonly<Record<string, readonly string[]>> = {
  "apps/v1 DaemonSet": ["spec.selector"],
  "apps/v1 Deployment": ["spec.selector"],
  "apps/v1 StatefulSet": [
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.selector",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "batch/v1 Job": ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
  "rbac.authorization.k8s.io/v1 ClusterRoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/v1 RoleBinding": ["roleRef"],
  "storage.k8s.io/v1 StorageClass": ["parameters", "provisioner"],
  "v1 PersistentVolume": ["azureDisk", "azureFile", "csi", "hostPath", "iscsi", "local", "nfs"].map(
    (source) => `spec.${source}`,
  ),
  "v1 PersistentVolumeClaim": [
    "spec.accessModes",
    "spec.selector",
    "spec.storageClassName",
    "spec.volumeName",
  ],
  "v1 Pod": ["spec"],
  "v1 ResourceQuota": ["spec.scopes"],
  "v1 Service": ["spec.clusterIP"],
};

export interface Mutability {
  readonly configMaps: boolean;
  readonly secrets: boolean;
}

/** The paths whose change replaces this object. */
export function replacingPaths(inputs: Bag, mutable: Mutability): readonly string[] {
  return ["metadata.name", "metadata.namespace", ...ofKind(inputs, mutable)];
}

function ofKind(inputs: Bag, mutable: Mutability): readonly string[] {
  const kind = `${inputs.apiVersion} ${inputs.kind}`;
  const immutable = inputs.immutable === true;
  if (kind === "v1 ConfigMap") return mutable.configMaps && !immutable ? [] : ["binaryData", "data"];
  if (kind === "v1 Secret") return mutable.secrets && !immutable ? ["type"] : ["data", "stringData", "type"];
  return byKind[kind] ?? [];
}
