/**
 * Which changes need a new resource, by the official plugin's metadata. Three rules make it, all of which
 * pulumi-azure-native applies when it generates that metadata (provider/pkg/gen/properties.go, `forceNew`):
 * - what a resource's id is made of: known from the package's types, so not in this table;
 * - its own list (provider/pkg/gen/replacement.go, `forceNewMap`; of the cluster's network profile only the named
 *   properties, since pull request 4771 of July 2026);
 * - `x-ms-mutability` without "update" in Azure's API specification, at the top level of a resource only. Of the
 *   kinds we use that is `location` of the kinds that build on a `TrackedResource`.
 *
 * Azure refuses more than that, e.g. a change of `location` of the kinds that are not here: the official plugin
 * shows an update and fails.
 */
const location = ["location"];

/** By token; `a.b` is within an object, `a[].b` within the items of a list. */
const byToken: Readonly<Record<string, readonly string[]>> = {
  "azure-native:authorization:RoleAssignment": ["principalId", "scope"],
  "azure-native:containerregistry:Registry": location,
  "azure-native:containerservice:AgentPool": [
    "gpuInstanceProfile",
    "networkProfile.nodePublicIPTags",
    "vmSize",
  ],
  "azure-native:containerservice:ManagedCluster": [
    "diskEncryptionSetID",
    "dnsPrefix",
    "fqdnSubdomain",
    "linuxProfile",
    "location",
    "networkProfile.dnsServiceIP",
    "networkProfile.networkDataplane",
    "networkProfile.networkMode",
    "networkProfile.networkPlugin",
    "networkProfile.networkPluginMode",
    "networkProfile.networkPolicy",
    "networkProfile.outboundType",
    "networkProfile.podCidr",
    "networkProfile.serviceCidr",
    "networkProfile.serviceCidrs",
    "nodeResourceGroup",
    "windowsProfile",
  ],
  "azure-native:managedidentity:UserAssignedIdentity": location,
  "azure-native:network:PrivateEndpoint": ["subnet"],
  "azure-native:network:PublicIPAddress": ["location", "publicIPAddressVersion", "publicIPPrefix", "sku"],
  "azure-native:network:VirtualNetwork": location,
  "azure-native:operationalinsights:Workspace": location,
  "azure-native:privatedns:PrivateZone": location,
  "azure-native:privatedns:VirtualNetworkLink": location,
  "azure-native:resources:ResourceGroup": location,
  "azure-native:storage:StorageAccount": ["isHnsEnabled", "location"],
};

/** The properties whose change needs a new resource, apart from those that its id is made of. */
export function immutableProperties(token: string): readonly string[] {
  return byToken[token] ?? [];
}
