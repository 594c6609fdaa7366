// infra/kubernetes/namespaces.ts - the namespaces our pods live in. Pod Security `restricted` holds in each: no root, no
// privileges, no host paths, whatever a pod's author forgot.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { known } from "../known";
import { type NamespaceKey, namespaceNames } from "./namespaceNames";

/** `audit` and `warn` too: they also say it of a Deployment, where `enforce` refuses its pods only. */
export const namespaceLabels = {
  "pod-security.kubernetes.io/enforce": "restricted",
  "pod-security.kubernetes.io/audit": "restricted",
  "pod-security.kubernetes.io/warn": "restricted",
} as const;

export class Namespaces extends pulumi.ComponentResource {
  /** Names. */
  readonly database: pulumi.Output<string>;
  readonly pooler: pulumi.Output<string>;

  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:kubernetes:Namespaces", name, {}, opts);
    this.database = this.namespace("database");
    this.pooler = this.namespace("pooler");
    this.registerOutputs({});
  }

  private namespace(key: NamespaceKey): pulumi.Output<string> {
    const name = namespaceNames[key];
    const metadata = { name, labels: namespaceLabels };
    return known(new kubernetes.core.v1.Namespace(name, { metadata }, { parent: this }), name);
  }
}
