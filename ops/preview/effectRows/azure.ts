import { changed, type Effect, type EffectRow, gone, update } from "../effectRow";

/** Of Azure's resources that hold data: type, what is lost with it, and what clients see. */
const azureHolders: readonly (readonly [type: string, loses: string, effect: Effect, why: string])[] = [
  [
    "resources:ResourceGroup",
    "everything in the resource group, backups among it",
    "outage",
    "there is nothing until it is made anew",
  ],
  [
    "storage:StorageAccount",
    "all backups in it",
    "none",
    "the database goes on; until the next full backup there is nothing to restore",
  ],
  [
    "storage:BlobContainer",
    "all backups in it",
    "none",
    "the database goes on; until the next full backup there is nothing to restore",
  ],
  [
    "keyvault:Vault",
    "its keys and secrets: with the key that encrypts the state, the state",
    "none",
    "the database keeps what it was started with",
  ],
  [
    "keyvault:Key",
    "what was encrypted with it, the state perhaps",
    "none",
    "the database keeps what it was started with",
  ],
  [
    "containerregistry:Registry",
    "all images in it",
    "none",
    "what runs goes on; a pod that moves finds no image until they are pushed anew",
  ],
  ["operationalinsights:Workspace", "all audit logs in it", "none", "nobody waits for logs"],
];

export const azure: readonly EffectRow[] = [
  {
    type: "azure-native:*",
    ops: update,
    property: "tags.**",
    effect: "none",
    what: "other tags",
    why: "a tag is a label for people and bills",
  },
  ...azureHolders.map(
    ([type, loses, effect, why]): EffectRow => ({
      type: `azure-native:${type}`,
      ops: gone,
      effect,
      what: "deleted; a replacement is empty",
      why,
      loses,
    }),
  ),
  {
    type: "azure-native:storage:StorageAccount",
    ops: update,
    property: "sku.**",
    effect: "none",
    what: "Azure copies the backups in the background, in up to days; some ways between redundancies it refuses",
    why: "backups go on meanwhile",
  },
  ...["storage:*", "keyvault:*", "containerregistry:Registry", "operationalinsights:Workspace"].map(
    (type): EffectRow => ({
      type: `azure-native:${type}`,
      ops: changed,
      effect: "none",
      what: "where backups, keys, images or logs are kept, for how long, and who gets there: see that the cluster still does",
      why: "no query needs them",
    }),
  ),
  {
    type: "azure-native:network:Subnet",
    ops: update,
    property: "addressPrefix*",
    effect: "none",
    what: "Azure refuses it while anything is in the subnet: the `up` fails",
    why: "nothing happens",
  },
  {
    type: "azure-native:network:Subnet",
    ops: update,
    property: "serviceEndpoints.**",
    effect: "none",
    what: "the way to Azure's storage and key vault changes, and connections there are cut once",
    why: "backups try again, and no query goes there",
  },
  {
    type: "azure-native:network:VirtualNetwork",
    ops: update,
    property: "addressSpace.**",
    effect: "none",
    what: "the network grows; Azure takes no range away that a subnet uses",
    why: "addresses in use stay",
  },
  ...["Subnet", "VirtualNetwork"].map(
    (type): EffectRow => ({
      type: `azure-native:network:${type}`,
      ops: gone,
      effect: "outage",
      what: "Azure refuses it while anything is in it: the cluster has to go first",
      why: "nodes have no network without it",
    }),
  ),
  ...["network:Private*", "privatedns:*"].map(
    (type): EffectRow => ({
      type: `azure-native:${type}`,
      ops: changed,
      effect: "none",
      what: "backups, keys and images can't be reached until it is made anew",
      why: "no query needs them; WAL that can't be archived is kept on its volume meanwhile",
    }),
  ),
  {
    type: "azure-native:authorization:Role*",
    ops: changed,
    effect: "none",
    what: "an identity loses a right, in a replacement until it is granted anew, which takes Azure minutes",
    why: "what runs goes on; images, backups and keys may be refused meanwhile",
  },
  {
    type: "azure-native:logic:Workflow",
    ops: changed,
    effect: "none",
    what: "when the cluster is stopped and started to save money",
    why: "nothing is changed but the plan",
  },
  {
    type: "azure-native:authorization:ManagementLock*",
    ops: changed,
    effect: "none",
    what: "a guard against deletion by hand is changed or gone",
    why: "it guards, and does nothing else",
  },
  ...["consumption:*", "costmanagement:*", "monitor:*", "insights:*"].map(
    (type): EffectRow => ({
      type: `azure-native:${type}`,
      ops: changed,
      effect: "none",
      what: "what is measured, written down or warned about",
      why: "it looks on, and does nothing else",
    }),
  ),
];
