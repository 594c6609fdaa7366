// infra/azure/managedScraping.ts - what Azure's agent in the cluster (ama-metrics, made by AKS) is told to collect, and the CA
// by which it knows our members and the API.
import * as pulumi from "@pulumi/pulumi";
import type { ClusterAddress } from "../database/clusterAddress";
import { NamespaceObjects } from "../kubernetes/namespaceObjects";
import { caFile, managedAgent, managedSettings, renderManagedJobs } from "./managedScrapeConfig";

export interface ManagedScrapingArgs {
  cluster: ClusterAddress;
  /** Name of the database. */
  database: string;
  /** The CA of members and API, as PEM. */
  caPem: pulumi.Input<string>;
}

export class ManagedScraping extends pulumi.ComponentResource {
  constructor(name: string, args: ManagedScrapingArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:azure:ManagedScraping", name, {}, opts);
    const objects = new NamespaceObjects(this, managedAgent.namespace);
    // No secret: but it is the one thing that the agent mounts.
    const secret = objects.secret(managedAgent.secret, { [caFile]: pulumi.secret(args.caPem) });
    // First what it leaves out: in between it would collect, and ask to be paid for, what nobody reads.
    const settings = objects.configMap(managedAgent.settings, managedSettings());
    // A job whose CA is not there is refused, and all others with it.
    objects.configMap(managedAgent.jobs, { "prometheus-config": renderManagedJobs(args) }, [
      settings,
      secret,
    ]);
    this.registerOutputs({});
  }
}
