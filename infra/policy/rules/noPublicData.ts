// Storage, secrets, disks and databases of Azure answer inside the virtual network, and to nobody else.
import { azureType, isEverybody } from "../azure";
import { broken, demand, type Finding, type ResourceRule, undecided } from "../rule";
import { at, isList, shown, unknown, type Value, type Values } from "../values";

const privately = "set azure.network.privateEndpoints to true";

const checks: Readonly<Record<string, (values: Values) => Finding[]>> = {
  "storage:StorageAccount": (values) => [
    ...network("networkRuleSet", values.publicNetworkAccess, values.networkRuleSet, "iPAddressOrRange"),
    // Left out it is true on accounts of before 2023.
    ...demand(
      "allowBlobPublicAccess",
      values.allowBlobPublicAccess,
      (value) => value === false,
      "anyone could read a container that is marked public; set it to false",
    ),
  ],
  "storage:BlobContainer": ({ publicAccess }) =>
    demand(
      "publicAccess",
      publicAccess,
      (value) => value === undefined || value === "None",
      'anyone could read its blobs without logging in; set it to "None"',
    ),
  "keyvault:Vault": ({ properties }) =>
    network("networkAcls", at(properties, "publicNetworkAccess"), at(properties, "networkAcls"), "value"),
  "compute:Disk": ({ networkAccessPolicy }) =>
    demand(
      "networkAccessPolicy",
      networkAccessPolicy,
      (value) => value === "DenyAll" || value === "AllowPrivate",
      'the disk could be downloaded by a link; set it to "DenyAll"',
    ),
  "dbforpostgresql:Server": ({ network: place }) =>
    at(place, "delegatedSubnetResourceId") !== undefined
      ? []
      : demand(
          "network.publicNetworkAccess",
          at(place, "publicNetworkAccess"),
          (value) => value === "Disabled",
          'give the server a delegated subnet, or set it to "Disabled"',
        ),
  "dbforpostgresql:FirewallRule": ({ startIpAddress, endIpAddress }) => [
    broken(
      `opens a database to the internet, from ${shown(startIpAddress)} to ${shown(endIpAddress)}: remove the rule and come through the virtual network`,
    ),
  ],
};

export const noPublicData: ResourceRule = {
  name: "no-public-data",
  description: "Storage, key vaults, disks and databases cannot be reached from the internet",
  check: ({ type, values }) => checks[azureType(type) ?? ""]?.(values) ?? [],
};

/** Either no public address, or one that answers to nobody but those who are listed. */
function network(rules: string, publicNetworkAccess: Value, acls: Value, address: string): Finding[] {
  if (publicNetworkAccess === "Disabled" || publicNetworkAccess === "SecuredByPerimeter") return [];
  const action = at(acls, "defaultAction");
  if (action === "Deny") return addresses(`${rules}.ipRules`, at(acls, "ipRules"), address);
  if (publicNetworkAccess === unknown) return [undecided("publicNetworkAccess")];
  if (action === unknown) return [undecided(`${rules}.defaultAction`)];
  return [
    broken(
      `publicNetworkAccess is ${shown(publicNetworkAccess)} and ${rules}.defaultAction is ${shown(action)}, so anyone on the internet may try: ${privately}, or defaultAction to "Deny"`,
    ),
  ];
}

function addresses(property: string, list: Value, key: string): Finding[] {
  if (list === unknown) return [undecided(property)];
  if (!isList(list)) return [];
  return list.flatMap((rule, index) =>
    demand(
      `${property}[${index}].${key}`,
      at(rule, key),
      (range) => typeof range === "string" && !isEverybody(range),
      "lists everybody; name the networks that may",
    ),
  );
}
