import type { V1PersistentVolume, V1PersistentVolumeClaim } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { type Step, steps } from "../cluster/volumes/wanted";

const selectedNode = "volume.kubernetes.io/selected-node";

function claim(change: {
  storage?: string;
  node?: string;
  phase?: string;
  capacity?: string;
  storageClassName?: string;
  deletionTimestamp?: Date;
}): V1PersistentVolumeClaim {
  const { storage = "1Gi", node, phase = "Pending", capacity, deletionTimestamp } = change;
  return {
    metadata: {
      name: "data-blue-0",
      namespace: "ms5-database",
      uid: "u1",
      ...(node === undefined ? {} : { annotations: { [selectedNode]: node } }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: {
      storageClassName: change.storageClassName ?? "local",
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage } },
    },
    status: { phase, ...(capacity === undefined ? {} : { capacity: { storage: capacity } }) },
  };
}

/** The volume that is made for the claim, as it is once it is bound. */
function volumeFor(one: V1PersistentVolumeClaim, phase: string): V1PersistentVolume {
  const [step] = steps([one], []);
  if (step?.do !== "create") throw new Error("no volume is made");
  return { ...step.volume, status: { phase } };
}

describe("what there is to do about volumes", () => {
  const waiting = claim({ node: "node-2" });

  it("makes a volume on the node that was chosen, for this claim alone", () => {
    const [step, ...more] = steps([waiting], []);
    expect(more).toEqual([]);
    expect(step).toMatchObject({ do: "create", node: "node-2", name: "pvc-u1", mebibytes: 1024 });
    expect((step as Step & { do: "create" }).volume.spec).toMatchObject({
      capacity: { storage: "1024Mi" },
      claimRef: { namespace: "ms5-database", name: "data-blue-0", uid: "u1" },
      local: { path: "/machine/volumes/pvc-u1" },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["node-2"] }] },
          ],
        },
      },
    });
  });

  it.each([
    ["10Mi", 300],
    ["300Mi", 300],
    ["1G", 954],
    ["2Gi", 2048],
  ])("for %s makes %d MiB: whole ones, and none smaller than a filesystem can be", (storage, mebibytes) => {
    expect(steps([claim({ node: "node-1", storage })], [])).toMatchObject([{ mebibytes }]);
  });

  it.each([
    ["no pod has a node yet", claim({})],
    ["it is another class's", claim({ node: "node-1", storageClassName: "fast" })],
    ["it is on its way out", claim({ node: "node-1", deletionTimestamp: new Date(0) })],
    ["it has lost its volume", claim({ node: "node-1", phase: "Lost" })],
  ])("makes none while %s", (_, one) => {
    expect(steps([one], [])).toEqual([]);
  });

  it("does nothing once there is one, bound or about to be", () => {
    expect(steps([waiting], [volumeFor(waiting, "Available")])).toEqual([]);
    const bound = claim({ node: "node-2", phase: "Bound", capacity: "1Gi" });
    expect(steps([bound], [volumeFor(waiting, "Bound")])).toEqual([]);
  });

  it("grows one whose claim asks for more, where it is", () => {
    const more = claim({ node: "node-1", storage: "1500Mi", phase: "Bound", capacity: "1Gi" });
    expect(steps([more], [volumeFor(waiting, "Bound")])).toMatchObject([
      { do: "grow", node: "node-2", name: "pvc-u1", mebibytes: 1500 },
    ]);
  });

  it("doesn't shrink one", () => {
    const less = claim({ storage: "500Mi", phase: "Bound", capacity: "1Gi" });
    expect(steps([less], [volumeFor(waiting, "Bound")])).toEqual([]);
  });

  it("removes one whose claim is gone, unless it is to be kept or not ours", () => {
    const released = volumeFor(waiting, "Released");
    expect(steps([], [released])).toEqual([{ do: "remove", node: "node-2", name: "pvc-u1" }]);
    const kept = { ...released, spec: { ...released.spec, persistentVolumeReclaimPolicy: "Retain" } };
    const foreign = { ...released, metadata: { name: "pvc-u1" } };
    expect(steps([], [kept, foreign])).toEqual([]);
  });
});
