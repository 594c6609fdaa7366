// infra/kubernetes/namespaces.ts - the namespaces our pods live in. Pod Security `restricted` holds in each but one: no
// root, no privileges, no host paths, whatever a pod's author forgot.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { known } from "../known";
import { type NamespaceKey, namespaceNames, watchingNamespaces } from "./namespaceNames";

/** `audit` and `warn` too: they also say it of a Deployment, where `enforce` refuses its pods only. */
export const namespaceLabels = podSecurity("restricted");

/**
 * Of the one namespace whose pods look at their nodes: node_exporter reads the host's /proc and /sys, read-only, which
 * `baseline` forbids too. Nothing else runs there.
 */
export const nodeNamespaceLabels = podSecurity("privileged");

function podSecurity(level: "restricted" | "privileged") {
  return {
    "pod-security.kubernetes.io/enforce": level,
    "pod-security.kubernetes.io/audit": level,
    "pod-security.kubernetes.io/warn": level,
  } as const;
}

export interface NamespacesArgs {
  /** Whether something watches. */
  watched: boolean;
}

export class Namespaces extends pulumi.ComponentResource {
  /** Names of those that are there. */
  readonly names: ReadonlyMap<NamespaceKey, pulumi.Output<string>>;

  constructor(name: string, { watched }: NamespacesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:kubernetes:Namespaces", name, {}, opts);
    const keys = Object.keys(namespaceNames) as NamespaceKey[];
    this.names = new Map(
      keys
        .filter((key) => watched || !watchingNamespaces.includes(key))
        .map((key) => [key, this.namespace(key)]),
    );
    this.registerOutputs({});
  }

  /** Name of one that is there. */
  name(key: NamespaceKey): pulumi.Output<string> {
    const name = this.names.get(key);
    if (name === undefined) throw new Error(`namespace ${key} is not made in this stack`);
    return name;
  }

  private namespace(key: NamespaceKey): pulumi.Output<string> {
    const name = namespaceNames[key];
    const metadata = { name, labels: key === "nodes" ? nodeNamespaceLabels : namespaceLabels };
    return known(new kubernetes.core.v1.Namespace(name, { metadata }, { parent: this }), name);
  }
}
