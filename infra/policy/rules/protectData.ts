// What holds data goes only when somebody takes its protection away first, in a change that another one reads.
import { azureType } from "../azure";
import { holdsData } from "../environment";
import { broken, type ResourceRule } from "../rule";

const data: Readonly<Record<string, string>> = {
  "resources:ResourceGroup": "everything in it goes with it",
  "storage:StorageAccount": "the backups are in it",
  "storage:BlobContainer": "the backups are in it",
  "keyvault:Vault": "without the keys in it no backup can be read",
  "keyvault:Secret": "without it no backup can be read",
  "compute:Disk": "data is on it",
  "dbforpostgresql:Server": "data is in it",
  "containerservice:ManagedCluster": "the database runs in it",
};

export const protectData: ResourceRule = {
  name: "protect-data",
  description: "In staging and production, Pulumi refuses to delete or replace what holds data",
  check({ type, protect }, { environment }) {
    const reason = data[azureType(type) ?? ""];
    if (reason === undefined || protect || !holdsData(environment)) return [];
    return [broken(`it is not protected, and ${reason}: set azure.protect to true`)];
  },
};
