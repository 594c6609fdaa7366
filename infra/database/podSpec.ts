// The database pod, purely: what runs in it, what it may, and where it may run.
import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { backrestEnvironment, backupPaths } from "./backups/pgbackrestConf";
import { type ClusterAddress, serviceNames } from "./clusterAddress";
import { caConfigMap, credentialsSecret, memberLabels } from "./clusterNames";
import { dedicatedNodes } from "./dedicatedNodes";
import { podPaths } from "./patroniConfig";
import { containerSecurity, mountNames, podSecurity, programEnvironment, secretVolume } from "./podParts";

export interface DatabasePodArgs {
  readonly cluster: ClusterAddress;
  readonly image: string;
  readonly cpu: string;
  readonly memory: string;
  readonly accountName: pulumi.Input<string>;
  /** Whether nodes are kept for it. */
  readonly dedicatedNodes: boolean;
  /** Whether it backs up. */
  readonly backups: boolean;
  /** Changes when what the pod only reads at its start does. */
  readonly startsWith: Readonly<Record<string, string>>;
}

export function databasePod(args: DatabasePodArgs): types.input.core.v1.PodTemplateSpec {
  const { cluster } = args;
  const names = mountNames(cluster.name);
  return {
    metadata: { labels: memberLabels(cluster.name), annotations: args.startsWith },
    spec: {
      serviceAccountName: args.accountName,
      // The agent ends PostgreSQL properly within 50 s, after giving the lock away.
      terminationGracePeriodSeconds: 90,
      // A lost node takes its share of the cluster's DNS along for a while: ask again after a second, not after five.
      dnsConfig: {
        options: [
          { name: "timeout", value: "1" },
          { name: "attempts", value: "4" },
        ],
      },
      affinity: spread(cluster.name),
      ...(args.dedicatedNodes && dedicatedNodes.scheduling),
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "topology.kubernetes.io/zone",
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: memberLabels(cluster.name) },
        },
      ],
      securityContext: podSecurity,
      containers: [container(args)],
      volumes: [
        // Not on a disk: what the fence remembers lasts as long as the pod, and no longer.
        { name: "run", emptyDir: { medium: "Memory", sizeLimit: "16Mi" } },
        { name: "socket", emptyDir: { medium: "Memory", sizeLimit: "16Mi" } },
        // The container's own 64 MB are too few for parallel queries.
        { name: "shared-memory", emptyDir: { medium: "Memory" } },
        { name: "tmp", emptyDir: { sizeLimit: "256Mi" } },
        { name: "settings", configMap: { name: names.settings } },
        { name: "agent", configMap: { name: names.agent } },
        { name: "ca", configMap: { name: caConfigMap } },
        secretVolume("server-tls", names.serverTls),
        secretVolume("robot-tls", names.robotTls),
        secretVolume("credentials", credentialsSecret(cluster.name)),
        ...(args.backups ? [secretVolume("backup-keys", names.backupKeys)] : []),
      ],
    },
  };
}

function container(args: DatabasePodArgs): types.input.core.v1.Container {
  const { cluster } = args;
  const host = `$(POD_NAME).${serviceNames(cluster).members}.${cluster.namespace}.svc.cluster.local`;
  const podName = { fieldRef: { fieldPath: "metadata.name" } };
  return {
    name: "database",
    image: args.image,
    command: ["python3", `${podPaths.agent}/init.py`],
    env: [
      { name: "POD_NAME", valueFrom: podName },
      { name: "PATRONI_NAME", valueFrom: podName },
      { name: "PATRONI_KUBERNETES_POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "PATRONI_POSTGRESQL_CONNECT_ADDRESS", value: `${host}:5432` },
      { name: "PATRONI_RESTAPI_CONNECT_ADDRESS", value: `${host}:8008` },
      ...programEnvironment,
      ...(args.backups ? backrestEnvironment : []),
    ],
    ports: [
      { name: "postgres", containerPort: 5432 },
      { name: "patroni", containerPort: 8008 },
      { name: "agent", containerPort: 8009 },
      ...(args.backups ? [{ name: "pgbackrest", containerPort: 8432 }] : []),
    ],
    // No limit on CPU: throttled, a member misses its turns, and a failover comes of nothing.
    resources: { requests: { cpu: args.cpu, memory: args.memory }, limits: { memory: args.memory } },
    // Whatever PostgreSQL does or waits for, killing the pod makes it worse: alive is whose agent answers.
    livenessProbe: { ...ask("/alive"), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    startupProbe: { ...ask("/alive"), periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 120 },
    // A primary that has lost its lock is not ready, and so not in the Service, even while its label says primary.
    readinessProbe: { ...ask("/ready"), periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 2 },
    securityContext: containerSecurity,
    volumeMounts: [
      { name: "data", mountPath: podPaths.data },
      { name: "wal", mountPath: podPaths.wal },
      { name: "run", mountPath: podPaths.run },
      { name: "socket", mountPath: podPaths.socket },
      { name: "shared-memory", mountPath: "/dev/shm" },
      { name: "tmp", mountPath: "/tmp" },
      { name: "settings", mountPath: podPaths.settings, readOnly: true },
      { name: "agent", mountPath: podPaths.agent, readOnly: true },
      { name: "ca", mountPath: podPaths.ca, readOnly: true },
      { name: "server-tls", mountPath: podPaths.serverTls, readOnly: true },
      { name: "robot-tls", mountPath: podPaths.robotTls, readOnly: true },
      { name: "credentials", mountPath: podPaths.credentials, readOnly: true },
      ...(args.backups ? [{ name: "backup-keys", mountPath: backupPaths.keys, readOnly: true }] : []),
    ],
  };
}

function ask(path: string): types.input.core.v1.Probe {
  return { httpGet: { path, port: 8009, scheme: "HTTPS" } };
}

/** Never two members on one node, and in one zone only when there is no other. */
function spread(colour: string): types.input.core.v1.Affinity {
  const labelSelector = { matchLabels: memberLabels(colour) };
  return {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector, topologyKey: "kubernetes.io/hostname" },
      ],
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, podAffinityTerm: { labelSelector, topologyKey: "topology.kubernetes.io/zone" } },
      ],
    },
  };
}
