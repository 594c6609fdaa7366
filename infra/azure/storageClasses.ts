// infra/azure/storageClasses.ts - disks of the database's volumes: made in the zone of the pod that asks, growing without
// a pause, and kept when their claim is gone.
import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { DiskSettings } from "./settings";
import { storageClassNames } from "./storageClassNames";

export function storageClasses(
  disks: DiskSettings,
  tags: Readonly<Record<string, string>>,
  opts: pulumi.CustomResourceOptions,
): kubernetes.storage.v1.StorageClass[] {
  return (["data", "wal"] as const).map(
    (what) =>
      new kubernetes.storage.v1.StorageClass(
        storageClassNames[what],
        {
          metadata: { name: storageClassNames[what] },
          provisioner: "disk.csi.azure.com",
          parameters: {
            ...(disks.kind === "PremiumV2" ? premiumV2(what, disks) : premiumV1[what]),
            // Nobody downloads a disk by a link.
            networkAccessPolicy: "DenyAll",
            publicNetworkAccess: "Disabled",
            tags: Object.entries(tags)
              .map(([name, value]) => `${name}=${value}`)
              .join(","),
          },
          volumeBindingMode: "WaitForFirstConsumer",
          allowVolumeExpansion: true,
          reclaimPolicy: "Retain",
        },
        opts,
      ),
  );
}

/** The log is written in sequence and hardly ever read: a cache in front of it would only be in the way. */
const premiumV1 = {
  data: { skuName: "Premium_LRS", cachingMode: "ReadOnly" },
  wal: { skuName: "Premium_LRS", cachingMode: "None" },
} as const;

/** IOPS and throughput of the log's disk are those that come with it. Premium SSD v2 has no host cache. */
function premiumV2(what: "data" | "wal", { iops, throughput }: DiskSettings): Record<string, string> {
  const common = { skuName: "PremiumV2_LRS", cachingMode: "None" };
  if (what === "wal") return common;
  return { ...common, DiskIOPSReadWrite: String(iops), DiskMBpsReadWrite: String(throughput) };
}
