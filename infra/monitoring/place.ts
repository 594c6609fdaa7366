// What every part of monitoring is made with.

import type { types } from "@pulumi/kubernetes";
import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { containerSecurity, runAs, seccompProfile } from "../database/podParts";
import { NamespaceObjects } from "../kubernetes/namespaceObjects";

type Container = types.input.core.v1.Container;

/** Nobody in particular: the images' own users differ, and none of them needs its own. */
export const podSecurity = { ...runAs(65534), seccompProfile };

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

/** What a part of monitoring makes in its namespace. */
export class MonitoringPlace extends NamespaceObjects {
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
}
