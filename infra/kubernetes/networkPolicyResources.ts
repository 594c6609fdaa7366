// infra/kubernetes/networkPolicyResources.ts - closed by default: the policies that the table of flows comes to.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Addresses, type Endpoints, type Feature, flowsWith } from "./flows";
import type { Namespaces } from "./namespaces";
import { networkPolicies } from "./networkPolicies";

export interface NetworkPoliciesArgs {
  namespaces: Namespaces;
  apiServer: pulumi.Input<Endpoints>;
  /** Known without asking anybody. */
  others: Omit<Addresses, "apiServer">;
  /** Whether Azure's agent collects. */
  managed: boolean;
}

/** Pods should depend on it: then there is no moment in which they run and nothing is denied. */
export class NetworkPolicies extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkPoliciesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:kubernetes:NetworkPolicies", name, {}, opts);
    const { names } = args.namespaces;
    const present = new Set<Feature>(["apiServer", ...(Object.keys(args.others) as (keyof Addresses)[])]);
    if (names.has("monitoring")) present.add("monitoring");
    if (args.managed) present.add("managedMonitoring");
    const addresses = pulumi.output(args.apiServer).apply((apiServer) => ({ apiServer, ...args.others }));
    for (const plan of networkPolicies(flowsWith(present), [...names.keys()])) {
      const metadata = {
        name: plan.name,
        namespace: args.namespaces.name(plan.namespace),
        annotations: { "ms5.io/why": plan.why },
      };
      new kubernetes.networking.v1.NetworkPolicy(
        `${plan.namespace}-${plan.name}`,
        { metadata, spec: "spec" in plan ? plan.spec : addresses.apply(plan.specWith) },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
