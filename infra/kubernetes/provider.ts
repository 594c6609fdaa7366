// infra/kubernetes/provider.ts - the Kubernetes that everything goes to: one that is there, or the one made in Azure.
import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { AzurePlatform } from "../azure";
import { writeKubeconfig } from "../azure/kubeconfigFile";
import { storageClasses } from "../azure/storageClasses";
import { tagsOf } from "../azure/tags";
import type { KubernetesSettings, StackConfig } from "../config";

export interface Kubernetes {
  readonly provider: kubernetes.Provider;
  /** What has to be there before the first pod. */
  readonly ready: pulumi.Resource[];
}

/** The Kubernetes of a stack, if it has one. */
export function provisionKubernetes(
  config: StackConfig,
  platform: AzurePlatform | undefined,
): Kubernetes | undefined {
  const { kubernetes, azure } = config;
  if (kubernetes === undefined) return undefined;
  const provider = kubernetesProvider(kubernetes, platform);
  if (platform === undefined || azure === undefined) return { provider, ready: [] };
  const classes = storageClasses(azure.disks, tagsOf(config, azure), { provider, parent: platform });
  return { provider, ready: [...platform.ready, ...classes] };
}

/** Changes of a ConfigMap or Secret are changes in place: their names are fixed, and pods notice what is mounted. */
function kubernetesProvider(
  { kubeconfig, context }: KubernetesSettings,
  platform: AzurePlatform | undefined,
): kubernetes.Provider {
  const where = platform === undefined ? kubeconfig : written(platform, kubeconfig);
  return new kubernetes.Provider("kubernetes", {
    ...(where === undefined ? {} : { kubeconfig: where }),
    ...(context === undefined ? {} : { context }),
    enableConfigMapMutable: true,
    enableSecretMutable: true,
  });
}

/** The providers of ours that forward ports read the file: it is there as soon as the cluster is known. */
function written(platform: AzurePlatform, file: string | undefined): pulumi.Output<string> {
  return platform.kubeconfig.apply((text) => {
    if (file !== undefined) writeKubeconfig(file, text);
    return text;
  });
}
