// infra/kubernetes/serviceAccount.ts - what pods may ask of the API server: the database's what Patroni and our agent do
// there, in their own namespace, the pooler's nothing.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { known } from "../known";

/**
 * What Patroni calls with ConfigMaps as its store, read in its source (4.0.7 and 4.1.5): every write is a patch, and it
 * deletes nothing but in `patronictl remove`, which is not for a pod to do. Our agent (infra/database/agent) calls less.
 */
export const databaseRules = [
  { apiGroups: [""], resources: ["configmaps"], verbs: ["create", "get", "list", "patch", "watch"] },
  // A member writes its role and state on its own pod, and reads those of the others.
  { apiGroups: [""], resources: ["pods"], verbs: ["list", "patch", "watch"] },
];

export interface AccountArgs {
  namespace: pulumi.Input<string>;
}

/** Lets an account do what the rules say, in the namespace of `metadata`. */
function allow(
  label: string,
  metadata: { name: string; namespace: pulumi.Input<string> },
  rules: typeof databaseRules,
  account: { name: pulumi.Input<string>; namespace: pulumi.Input<string> },
  opts: pulumi.CustomResourceOptions,
): kubernetes.rbac.v1.RoleBinding {
  const role = new kubernetes.rbac.v1.Role(label, { metadata, rules }, opts);
  return new kubernetes.rbac.v1.RoleBinding(
    label,
    {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: known(role, metadata.name) },
      subjects: [{ kind: "ServiceAccount", ...account }],
    },
    opts,
  );
}

/** Prometheus finds poolers and nodes by their pods, in the namespaces that they are in and in no other. */
export const discoveryRules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }];

export interface DiscoveryAccountArgs extends AccountArgs {
  /** Namespaces whose pods it may look at. */
  looksInto: Readonly<Record<string, pulumi.Input<string>>>;
}

/** Prometheus' account, named as the component. */
export class DiscoveryAccount extends pulumi.ComponentResource {
  /** For `serviceAccountName`. */
  readonly accountName: pulumi.Output<string>;

  constructor(name: string, args: DiscoveryAccountArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:kubernetes:DiscoveryAccount", name, {}, opts);
    const child = { parent: this };
    const account = new kubernetes.core.v1.ServiceAccount(
      name,
      { metadata: { name, namespace: args.namespace } },
      child,
    );
    for (const [key, namespace] of Object.entries(args.looksInto)) {
      allow(
        `${name}-looks-into-${key}`,
        { name: `${name}-looks`, namespace },
        discoveryRules,
        { name: known(account, name), namespace: args.namespace },
        child,
      );
    }
    this.accountName = known(account, name);
    this.registerOutputs({});
  }
}

/** The database members' account, named as the component. */
export class DatabaseAccount extends pulumi.ComponentResource {
  /** For `serviceAccountName`. Known when the rights are there too: Patroni ends where it has none. */
  readonly accountName: pulumi.Output<string>;

  constructor(name: string, args: AccountArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:kubernetes:DatabaseAccount", name, {}, opts);
    const child = { parent: this };
    const metadata = { name, namespace: args.namespace };
    const account = new kubernetes.core.v1.ServiceAccount(name, { metadata }, child);
    const holder = { name: known(account, name), namespace: args.namespace };
    const binding = allow(name, metadata, databaseRules, holder, child);
    this.accountName = known(binding, name);
    this.registerOutputs({});
  }
}

/** For pods that have nothing to ask, named as the component: no rights, and no token in them. */
export class PowerlessAccount extends pulumi.ComponentResource {
  /** For `serviceAccountName`. */
  readonly accountName: pulumi.Output<string>;

  constructor(name: string, args: AccountArgs, opts?: pulumi.ComponentResourceOptions) {
    // Stacks of before have the pooler's under its old type.
    super(
      "ms5:kubernetes:PowerlessAccount",
      name,
      {},
      {
        ...opts,
        aliases: [{ type: "ms5:kubernetes:PoolerAccount" }],
      },
    );
    const account = new kubernetes.core.v1.ServiceAccount(
      name,
      { metadata: { name, namespace: args.namespace }, automountServiceAccountToken: false },
      { parent: this },
    );
    this.accountName = known(account, name);
    this.registerOutputs({});
  }
}
