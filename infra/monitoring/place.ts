// What every part of monitoring is made with.

import type { types } from "@pulumi/kubernetes";
import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { containerSecurity } from "../database/podParts";

type Container = types.input.core.v1.Container;

/** Nobody in particular: the images' own users differ, and none of them needs its own. */
const user = 65534;

export const podSecurity = {
  runAsNonRoot: true,
  runAsUser: user,
  runAsGroup: user,
  fsGroup: user,
  seccompProfile: { type: "RuntimeDefault" },
} as const;

/** Labels of a workload's pods; infra/kubernetes/flows.ts has the same. */
export function labels(name: string): Record<string, string> {
  return { "app.kubernetes.io/name": name };
}

/** A container that writes nowhere but to what is mounted, and may do nothing. */
export function container(
  args: Omit<Container, "securityContext"> & { name: string; image: string },
): Container {
  return { ...args, securityContext: containerSecurity };
}

/** Asks `path` of the container's first port. */
export function answers(path: string, port: number, scheme: "HTTP" | "HTTPS" = "HTTP") {
  return { httpGet: { path, port, scheme }, periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3 };
}

/** ConfigMaps, Secrets and Services of the monitoring namespace, below one component. */
export class MonitoringPlace {
  constructor(
    private readonly parent: pulumi.Resource,
    readonly namespace: pulumi.Input<string>,
  ) {}

  metadata(name: string) {
    return { name, namespace: this.namespace };
  }

  configMap(name: string, data: Record<string, pulumi.Input<string>>): kubernetes.core.v1.ConfigMap {
    return new kubernetes.core.v1.ConfigMap(name, { metadata: this.metadata(name), data }, this.child);
  }

  secret(name: string, stringData: Record<string, pulumi.Input<string>>): kubernetes.core.v1.Secret {
    return new kubernetes.core.v1.Secret(
      name,
      { metadata: this.metadata(name), stringData },
      { ...this.child, additionalSecretOutputs: ["stringData", "data"] },
    );
  }

  service(name: string, ports: Readonly<Record<string, number>>): kubernetes.core.v1.Service {
    return new kubernetes.core.v1.Service(
      name,
      {
        metadata: this.metadata(name),
        spec: {
          selector: labels(name),
          ports: Object.entries(ports).map(([port, number]) => ({ name: port, port: number })),
        },
      },
      // `up` is done when pods are ready, not when a Service has found them.
      this.child,
    );
  }

  claim(name: string, size: string, storageClassName: string | undefined): pulumi.Resource {
    return new kubernetes.core.v1.PersistentVolumeClaim(
      name,
      {
        metadata: this.metadata(name),
        spec: {
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: size } },
          ...(storageClassName !== undefined && { storageClassName }),
        },
      },
      this.child,
    );
  }

  deployment(
    name: string,
    spec: types.input.core.v1.PodSpec,
    options: {
      dependsOn: pulumi.Resource[];
      /** Changes when what is only read at the start does. */
      startsWith?: Readonly<Record<string, pulumi.Input<string>>>;
      /** One volume cannot be in two pods. */
      alone?: boolean;
    },
  ): kubernetes.apps.v1.Deployment {
    return new kubernetes.apps.v1.Deployment(
      name,
      {
        metadata: this.metadata(name),
        spec: {
          replicas: 1,
          selector: { matchLabels: labels(name) },
          strategy: options.alone
            ? { type: "Recreate" }
            : { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          template: {
            metadata: {
              labels: labels(name),
              ...(options.startsWith && { annotations: options.startsWith }),
            },
            spec: { securityContext: podSecurity, ...spec },
          },
        },
      },
      { ...this.child, dependsOn: options.dependsOn },
    );
  }

  private get child() {
    return { parent: this.parent };
  }
}
