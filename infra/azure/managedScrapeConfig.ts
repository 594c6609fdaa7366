// What Azure's agent in the cluster collects, as the ConfigMaps that it reads: our jobs, and nothing of its own.
import { stringify } from "yaml";
import { intervals, type PrometheusConfigArgs, scrapeJobs } from "../monitoring/prometheusConfig";

/** The agent's names: it knows its ConfigMaps and its Secret by them. */
export const managedAgent = {
  namespace: "kube-system",
  jobs: "ama-metrics-prometheus-config",
  settings: "ama-metrics-settings-configmap",
  secret: "ama-metrics-mtls-secret",
  /** Where it has the keys of that Secret as files. */
  secretPath: "/etc/prometheus/certs",
} as const;

/** Key of the Secret, and name of the file. */
export const caFile = "ca.pem";

/** `prometheus-config`: the only sections the agent takes are `global` and `scrape_configs`, and of global no labels. */
export function renderManagedJobs(args: Pick<PrometheusConfigArgs, "cluster" | "database">): string {
  return stringify(
    {
      global: { scrape_interval: intervals.others, scrape_timeout: "10s" },
      scrape_configs: scrapeJobs(args, `${managedAgent.secretPath}/${caFile}`),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

/**
 * What the agent collects if nobody says no. Node exporter's job has the name of ours, `node`, so each node would be there
 * twice; of the others no rule and no dashboard of ours reads anything, and every sample is paid for.
 */
const ofItsOwn = [
  "kubelet",
  "cadvisor",
  "kubestate",
  "nodeexporter",
  "kappiebasic",
  "networkobservabilityRetina",
  "networkobservabilityHubble",
  "networkobservabilityCilium",
  "acstor-capacity-provisioner",
  "acstor-metrics-exporter",
  "local-csi-driver",
  "dcgmexporter",
  "controlplane-apiserver",
  "controlplane-etcd",
];

/** Data of the settings' ConfigMap. */
export function managedSettings(): Record<string, string> {
  return {
    "schema-version": "v1",
    "config-version": "ms5",
    "default-scrape-settings-enabled": ofItsOwn.map((target) => `${target} = false\n`).join(""),
  };
}
