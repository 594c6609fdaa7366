// The pooler's pod, purely: PgBouncer, and HAProxy beside it.
import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { type ClusterAddress, primaryHost, replicaHost } from "./clusterAddress";
import { statisticsRole } from "./pgbouncerIni";
import { containerSecurity, runAs, seccompProfile } from "./podParts";
import { haproxyAddress, poolerFiles, poolerMounts, poolerPaths, poolerPorts } from "./poolerPlaces";

export const poolerLabels = { "app.kubernetes.io/name": "pooler" } as const;

/** Secrets in the pooler's namespace. `console` has `password` too. */
export const poolerSecrets = { tls: "pooler-tls", console: "pooler-console" } as const;

/** Of whoever may only look, beside `password`. */
export const statisticsPassword = "statistics-password";

/** Nobody in particular: neither image has a user that the other knows. */
const user = 1000;

/** Seconds in which a pod that is about to end goes on, while Services forget it and clients that come and go leave. */
const forgetSeconds = 10;
/** Seconds that transactions have for finishing after that. */
const drainSeconds = 50;

export interface PoolerPodArgs {
  readonly images: {
    readonly pgbouncer: string;
    readonly haproxy: string;
    /** undefined where nothing watches. */
    readonly exporter: string | undefined;
  };
  readonly cluster: ClusterAddress;
  readonly accountName: pulumi.Input<string>;
  /** Clients that PgBouncer takes. */
  readonly clientConnections: number;
  /** Changes when what is only read at the start does. */
  readonly startsWith: Readonly<Record<string, pulumi.Input<string>>>;
}

export function poolerPod(args: PoolerPodArgs): types.input.core.v1.PodTemplateSpec {
  return {
    metadata: { labels: poolerLabels, annotations: args.startsWith },
    spec: {
      serviceAccountName: args.accountName,
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: forgetSeconds + drainSeconds,
      // PgBouncer verifies the server by these names, while HAProxy on loopback is whom it connects to.
      hostAliases: [
        { ip: haproxyAddress, hostnames: [primaryHost(args.cluster), replicaHost(args.cluster)] },
      ],
      // With Kubernetes' own 5 PgBouncer would ask for these names with every search domain first, and find the Services.
      dnsConfig: { options: [{ name: "ndots", value: "1" }] },
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            {
              labelSelector: { matchLabels: poolerLabels },
              // Those being replaced take a minute to end: their node is free for a new one.
              matchLabelKeys: ["pod-template-hash"],
              topologyKey: "kubernetes.io/hostname",
            },
          ],
        },
      },
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "topology.kubernetes.io/zone",
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: poolerLabels },
        },
      ],
      securityContext: { ...runAs(user), seccompProfile },
      initContainers: [haproxy(args.images.haproxy)],
      containers: [
        pgbouncer(args),
        ...(args.images.exporter === undefined ? [] : [exporter(args.images.exporter)]),
      ],
      volumes: [
        { name: "config", configMap: { name: "pooler-config" } },
        { name: "tls", secret: { secretName: poolerSecrets.tls, defaultMode: 0o440 } },
        {
          name: "users",
          secret: {
            secretName: poolerSecrets.console,
            defaultMode: 0o440,
            items: [{ key: poolerFiles.users, path: poolerFiles.users }],
          },
        },
      ],
    },
  };
}

/** Beside PgBouncer for as long as that runs, and there before it: an init container that is always restarted. */
function haproxy(image: string): types.input.core.v1.Container {
  return {
    name: "haproxy",
    image,
    restartPolicy: "Always",
    // In the foreground, where it tells which member it takes and leaves.
    command: ["haproxy", "-db", "-f", poolerPaths.haproxyCfg],
    // 20 MiB, and 35 kB for each of a few hundred connections (measured).
    resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } },
    securityContext: containerSecurity,
    volumeMounts: [{ name: "config", mountPath: poolerMounts.config, readOnly: true }],
  };
}

function pgbouncer({ images, clientConnections }: PoolerPodArgs): types.input.core.v1.Container {
  return {
    name: "pgbouncer",
    image: images.pgbouncer,
    command: ["sh", poolerPaths.run],
    ports: [{ name: "postgres", containerPort: poolerPorts.clients }],
    // One thread: more than a CPU is of no use to it, and throttled everyone waits.
    resources: {
      requests: { cpu: "100m", memory: `${memoryMiB(clientConnections) / 2}Mi` },
      limits: { memory: `${memoryMiB(clientConnections)}Mi` },
    },
    readinessProbe: { tcpSocket: { port: poolerPorts.clients }, periodSeconds: 2, timeoutSeconds: 2 },
    // Only for one that is stuck for good: every client of it has to reconnect.
    livenessProbe: {
      tcpSocket: { port: poolerPorts.clients },
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    // Then run.sh ends it as soon as no transaction is under way.
    lifecycle: { preStop: { sleep: { seconds: forgetSeconds } } },
    securityContext: containerSecurity,
    volumeMounts: [
      { name: "config", mountPath: poolerMounts.config, readOnly: true },
      { name: "tls", mountPath: poolerMounts.tls, readOnly: true },
      { name: "users", mountPath: poolerMounts.users, readOnly: true },
    ],
  };
}

/** Through the console, as whoever may only look. The password is in no argument: lib/pq takes it from the environment. */
function exporter(image: string): types.input.core.v1.Container {
  const { clients, exporter: port } = poolerPorts;
  return {
    name: "exporter",
    image,
    args: [
      `--web.listen-address=:${port}`,
      `--pgBouncer.connectionString=postgres://${statisticsRole}@127.0.0.1:${clients}/pgbouncer?sslmode=require`,
    ],
    env: [
      {
        name: "PGPASSWORD",
        valueFrom: { secretKeyRef: { name: poolerSecrets.console, key: statisticsPassword } },
      },
    ],
    ports: [{ name: "metrics", containerPort: port }],
    resources: { requests: { cpu: "10m", memory: "24Mi" }, limits: { memory: "64Mi" } },
    // No readiness: clients need PgBouncer, not who counts them.
    livenessProbe: {
      httpGet: { path: "/", port },
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    securityContext: containerSecurity,
  };
}

/** Twice 12 MiB and, with TLS, 40 kB a client (measured). */
function memoryMiB(clients: number): number {
  return 2 * Math.ceil(12 + clients * (40 / 1024));
}
