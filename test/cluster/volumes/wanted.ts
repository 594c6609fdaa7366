// What there is to do about volumes, from what the claims ask for. Pure.
import type { V1PersistentVolume, V1PersistentVolumeClaim } from "@kubernetes/client-node";
import { parseBytes } from "../../../infra/database/quantity";
import { provisionerName, storageClassName } from "../manifests";
import { machineMount } from "../tools";

export type Step =
  /** A claim whose pod has got a node waits for a volume there. */
  | {
      readonly do: "create";
      readonly node: string;
      readonly volume: V1PersistentVolume;
      readonly name: string;
      readonly mebibytes: number;
    }
  /** A claim asks for more than its volume has. */
  | {
      readonly do: "grow";
      readonly node: string;
      readonly claim: V1PersistentVolumeClaim;
      readonly name: string;
      readonly mebibytes: number;
    }
  /** A volume's claim is gone. */
  | { readonly do: "remove"; readonly node: string; readonly name: string };

const hostname = "kubernetes.io/hostname";
const provisionedBy = "pv.kubernetes.io/provisioned-by";
const selectedNode = "volume.kubernetes.io/selected-node";

export function steps(
  claims: readonly V1PersistentVolumeClaim[],
  volumes: readonly V1PersistentVolume[],
): Step[] {
  const ours = volumes.filter(({ metadata }) => metadata?.annotations?.[provisionedBy] === provisionerName);
  const byName = new Map(ours.map((volume) => [volume.metadata?.name, volume]));
  return [
    ...ours.flatMap(removal),
    ...claims
      .filter(({ spec }) => spec?.storageClassName === storageClassName)
      .flatMap((claim) => {
        const volume = byName.get(nameFor(claim));
        return volume === undefined ? creation(claim) : growth(claim, volume);
      }),
  ];
}

function nameFor({ metadata }: V1PersistentVolumeClaim): string {
  return `pvc-${metadata?.uid}`;
}

/** In MiB. XFS makes none smaller. */
const smallest = 300;

/** MiB for what the claim asks. */
function sizeFor({ spec }: V1PersistentVolumeClaim): number {
  const bytes = parseBytes(spec?.resources?.requests?.storage ?? "") ?? 0;
  return Math.max(smallest, Math.ceil(bytes / 2 ** 20));
}

function creation(claim: V1PersistentVolumeClaim): Step[] {
  const { metadata, spec, status } = claim;
  const node = metadata?.annotations?.[selectedNode];
  const waits = status?.phase === "Pending" && metadata?.deletionTimestamp === undefined;
  if (!waits || node === undefined || spec?.volumeName !== undefined) return [];
  const name = nameFor(claim);
  const volume: V1PersistentVolume = {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name, annotations: { [provisionedBy]: provisionerName } },
    spec: {
      capacity: { storage: `${sizeFor(claim)}Mi` },
      accessModes: spec?.accessModes ?? [],
      persistentVolumeReclaimPolicy: "Delete",
      storageClassName,
      claimRef: {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        ...identity(claim),
      },
      local: { path: `${machineMount}/volumes/${name}` },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: hostname, operator: "In", values: [node] }] }],
        },
      },
    },
  };
  return [{ do: "create", node, volume, name, mebibytes: sizeFor(claim) }];
}

function identity({ metadata }: V1PersistentVolumeClaim) {
  const { name = "", namespace = "", uid = "" } = metadata ?? {};
  return { name, namespace, uid };
}

function growth(claim: V1PersistentVolumeClaim, volume: V1PersistentVolume): Step[] {
  const has = parseBytes(claim.status?.capacity?.storage ?? "");
  // Until it is bound a claim has no capacity, and nothing to grow.
  if (has === undefined || sizeFor(claim) * 2 ** 20 <= has) return [];
  const mebibytes = sizeFor(claim);
  return [{ do: "grow", node: nodeOfVolume(volume), claim, name: nameFor(claim), mebibytes }];
}

function removal(volume: V1PersistentVolume): Step[] {
  const { metadata, spec, status } = volume;
  const gone = status?.phase === "Released" && spec?.persistentVolumeReclaimPolicy === "Delete";
  return gone ? [{ do: "remove", node: nodeOfVolume(volume), name: metadata?.name ?? "" }] : [];
}

function nodeOfVolume({ spec }: V1PersistentVolume): string {
  return spec?.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values?.[0] ?? "";
}
