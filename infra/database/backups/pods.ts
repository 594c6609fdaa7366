// The pods that backups need beside the members, purely: who asks for one, who tries one out, and a restored copy. They run
// the members' image and programs, and none of them has a way into Kubernetes' API.
import type { types } from "@pulumi/kubernetes";
import { caConfigMap, credentialsSecret } from "../clusterNames";
import { podPaths } from "../patroniConfig";
import { containerSecurity, mountNames, podSecurity, programEnvironment, secretVolume } from "../podParts";
import { backrestEnvironment, backupPaths } from "./pgbackrestConf";

/** The account of all of them: it may do nothing, and no pod gets its token. */
export const backupAccount = "backup";

export interface BackupPodArgs {
  readonly colour: string;
  readonly image: string;
}

type PodSpec = types.input.core.v1.PodSpec;
type Volume = types.input.core.v1.Volume;
type VolumeMount = types.input.core.v1.VolumeMount;

const labelsOf = (name: string) => ({ "app.kubernetes.io/name": name });

/** Asks the members for a backup of a type that pgBackRest knows, and shows what they say. */
export function backupPod(args: BackupPodArgs, type: string): types.input.core.v1.PodTemplateSpec {
  const names = mountNames(args.colour);
  return {
    metadata: { labels: labelsOf("backup") },
    spec: podSpec(args, {
      restartPolicy: "Never",
      command: ["python3", `${podPaths.agent}/backup_job.py`, type],
      memory: { request: "64Mi", limit: "128Mi" },
      cpu: "10m",
      mounts: [
        { name: "settings", mountPath: podPaths.settings, readOnly: true },
        { name: "agent", mountPath: podPaths.agent, readOnly: true },
        { name: "ca", mountPath: podPaths.ca, readOnly: true },
        { name: "job-tls", mountPath: backupPaths.job, readOnly: true },
      ],
      volumes: [
        { name: "settings", configMap: { name: names.settings } },
        { name: "agent", configMap: { name: names.agent } },
        { name: "ca", configMap: { name: caConfigMap } },
        secretVolume("job-tls", names.jobTls),
      ],
    }),
  };
}

export interface RestoringPodArgs extends BackupPodArgs {
  readonly cpu: string;
  readonly memory: string;
  /** Of the volume that is restored to; ignored where a claim is named. */
  readonly volume: string;
  readonly storageClass: string | undefined;
}

/** Restores the newest backup, compares it, and is gone with all it had. */
export function drillPod(args: RestoringPodArgs): types.input.core.v1.PodTemplateSpec {
  return {
    metadata: { labels: labelsOf("drill") },
    spec: restoringPod(args, {
      restartPolicy: "Never",
      secrets: [{ name: "job-tls", secretName: mountNames(args.colour).jobTls, mountPath: backupPaths.job }],
      command: ["python3", `${podPaths.agent}/drill_job.py`],
      data: {
        name: "data",
        // Lives as long as the pod.
        ephemeral: {
          volumeClaimTemplate: {
            spec: {
              accessModes: ["ReadWriteOnce"],
              resources: { requests: { storage: args.volume } },
              ...(args.storageClass === undefined ? {} : { storageClassName: args.storageClass }),
            },
          },
        },
      },
    }),
  };
}

/** A copy for people, on a claim of its own. Ready when it was restored and has passed every check. */
export function clonePod(
  args: RestoringPodArgs,
  { name, target }: { readonly name: string; readonly target: object },
): types.input.core.v1.PodTemplateSpec {
  const spec = restoringPod(args, {
    restartPolicy: "Always",
    // Who may administrate the database today may do so in its copy.
    secrets: [
      { name: "credentials", secretName: credentialsSecret(args.colour), mountPath: podPaths.credentials },
    ],
    command: ["python3", `${podPaths.agent}/clone.py`],
    data: { name: "data", persistentVolumeClaim: { claimName: `clone-${name}` } },
    env: [{ name: "CLONE_TARGET", value: JSON.stringify(target) }],
    readinessProbe: { exec: { command: ["test", "-e", `${podPaths.run}/good`] }, periodSeconds: 2 },
  });
  return { metadata: { labels: cloneLabels(name) }, spec };
}

export function cloneLabels(name: string): Record<string, string> {
  return { ...labelsOf("clone"), "ms5.io/clone": name };
}

interface RestoringArgs {
  readonly restartPolicy: "Never" | "Always";
  readonly command: string[];
  readonly data: Volume;
  readonly secrets?: { readonly name: string; readonly secretName: string; readonly mountPath: string }[];
  readonly env?: types.input.core.v1.EnvVar[];
  readonly readinessProbe?: types.input.core.v1.Probe;
}

function restoringPod(args: RestoringPodArgs, own: RestoringArgs): PodSpec {
  const names = mountNames(args.colour);
  const { data, secrets = [], ...rest } = own;
  return podSpec(args, {
    ...rest,
    env: [...(own.env ?? []), ...backrestEnvironment],
    memory: { request: args.memory, limit: args.memory },
    cpu: args.cpu,
    mounts: [
      { name: "data", mountPath: podPaths.data },
      { name: "wal", mountPath: "/wal" },
      { name: "run", mountPath: podPaths.run },
      { name: "socket", mountPath: podPaths.socket },
      { name: "shared-memory", mountPath: "/dev/shm" },
      { name: "settings", mountPath: podPaths.settings, readOnly: true },
      { name: "agent", mountPath: podPaths.agent, readOnly: true },
      { name: "ca", mountPath: podPaths.ca, readOnly: true },
      { name: "server-tls", mountPath: podPaths.serverTls, readOnly: true },
      { name: "backup-keys", mountPath: backupPaths.keys, readOnly: true },
      ...secrets.map(({ name, mountPath }) => ({ name, mountPath, readOnly: true })),
    ],
    volumes: [
      data,
      // What pgBackRest fetches ahead.
      { name: "wal", emptyDir: {} },
      { name: "run", emptyDir: { medium: "Memory", sizeLimit: "16Mi" } },
      { name: "socket", emptyDir: { medium: "Memory", sizeLimit: "16Mi" } },
      { name: "shared-memory", emptyDir: { medium: "Memory" } },
      { name: "settings", configMap: { name: names.settings } },
      { name: "agent", configMap: { name: names.agent } },
      { name: "ca", configMap: { name: caConfigMap } },
      secretVolume("server-tls", names.serverTls),
      secretVolume("backup-keys", names.backupKeys),
      ...secrets.map(({ name, secretName }) => secretVolume(name, secretName)),
    ],
  });
}

interface OwnSpec {
  readonly restartPolicy: "Never" | "Always";
  readonly command: string[];
  readonly memory: { readonly request: string; readonly limit: string };
  readonly cpu: string;
  readonly mounts: VolumeMount[];
  readonly volumes: Volume[];
  readonly env?: types.input.core.v1.EnvVar[];
  readonly readinessProbe?: types.input.core.v1.Probe;
}

function podSpec({ image }: BackupPodArgs, own: OwnSpec): PodSpec {
  return {
    serviceAccountName: backupAccount,
    automountServiceAccountToken: false,
    restartPolicy: own.restartPolicy,
    securityContext: podSecurity,
    containers: [
      {
        name: "work",
        image,
        command: own.command,
        env: [...(own.env ?? []), ...programEnvironment],
        resources: {
          requests: { cpu: own.cpu, memory: own.memory.request },
          limits: { memory: own.memory.limit },
        },
        ...(own.readinessProbe && { readinessProbe: own.readinessProbe }),
        securityContext: containerSecurity,
        volumeMounts: [...own.mounts, { name: "tmp", mountPath: "/tmp" }],
      },
    ],
    volumes: [...own.volumes, { name: "tmp", emptyDir: { sizeLimit: "256Mi" } }],
  };
}
