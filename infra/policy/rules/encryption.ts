// What lies on a disk is encrypted. Managed disks always are; this is about what is not encrypted unless one says so.
import { azureType, ofPools } from "../azure";
import { isInAzure } from "../environment";
import { kubernetesKind } from "../kubernetes";
import { demand, type Finding, type ResourceRule } from "../rule";
import { at, type Value, type Values } from "../values";

export const encryption: ResourceRule = {
  name: "encryption",
  description: "Disks of nodes, their caches, volumes and backups are encrypted at rest",
  check({ type, values }, { environment }) {
    switch (azureType(type)) {
      case "storage:StorageAccount":
        return storage(values);
      case "containerservice:ManagedCluster":
        return ofPools(values.agentPoolProfiles, (path, pool) =>
          atHost(`${path}.enableEncryptionAtHost`, at(pool, "enableEncryptionAtHost")),
        );
      case "containerservice:AgentPool":
        return atHost("enableEncryptionAtHost", values.enableEncryptionAtHost);
    }
    return kubernetesKind(type) === "storage.k8s.io:StorageClass" && isInAzure(environment)
      ? storageClass(values)
      : [];
  },
};

function storage({ encryption }: Values): Finding[] {
  return [
    ...demand(
      "encryption.requireInfrastructureEncryption",
      at(encryption, "requireInfrastructureEncryption"),
      (value) => value === true,
      "backups would be encrypted once, not twice; set it to true (Azure takes that of a new account only)",
    ),
    ...demand(
      "encryption.services.blob.enabled",
      at(encryption, "services", "blob", "enabled"),
      (value) => value === undefined || value === true,
      "set it to true",
    ),
  ];
}

function atHost(property: string, value: Value): Finding[] {
  return demand(
    property,
    value,
    (enabled) => enabled === true,
    "temporary disks and caches of the nodes would be in plain text; set it to true in infra/azure/cluster.ts",
  );
}

/** Managed disks are encrypted by Azure; disks in a storage account of somebody's, and of other drivers, may not be. */
function storageClass({ provisioner, parameters }: Values): Finding[] {
  return [
    ...demand(
      "provisioner",
      provisioner,
      (value) => value === "disk.csi.azure.com",
      'nothing says that its disks are encrypted; take "disk.csi.azure.com"',
    ),
    ...demand(
      "parameters.kind",
      at(parameters, "kind"),
      (value) => value === undefined || (typeof value === "string" && value.toLowerCase() === "managed"),
      "leave it out: only managed disks are always encrypted",
    ),
  ];
}
