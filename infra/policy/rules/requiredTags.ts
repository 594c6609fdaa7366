// Who pays for it, who answers for it, who made it: without tags nobody knows of a resource in Azure's portal or bill.
import { azureType } from "../azure";
import { demand, type ResourceRule, undecided } from "../rule";
import { at, unknown, type Value } from "../values";

/**
 * Resources of the modules we use that Azure does not let one tag. A test compares them with the SDK; what is not listed
 * has to have tags, so a resource nobody thought of is not forgotten.
 */
export const untaggable: ReadonlySet<string> = new Set([
  "authorization:ManagementLockAtResourceGroupLevel",
  "authorization:ManagementLockByScope",
  "authorization:RoleAssignment",
  "authorization:RoleDefinition",
  "consumption:Budget",
  "containerservice:MaintenanceConfiguration",
  "costmanagement:Budget",
  "dbforpostgresql:Configuration",
  "dbforpostgresql:Database",
  "dbforpostgresql:FirewallRule",
  "managedidentity:FederatedIdentityCredential",
  "monitor:DataCollectionRuleAssociation",
  "monitor:DiagnosticSetting",
  "network:PrivateDnsZoneGroup",
  "network:SecurityRule",
  "network:Subnet",
  "privatedns:PrivateRecordSet",
  "security:Pricing",
  "storage:BlobContainer",
  "storage:BlobContainerImmutabilityPolicy",
  "storage:BlobServiceProperties",
  "storage:ManagementPolicy",
]);

export const requiredTags: ResourceRule = {
  name: "required-tags",
  description: "Everything in Azure says its project, environment, owner and that Pulumi manages it",
  check({ type, values }, { environment }) {
    const azure = azureType(type);
    if (azure === undefined || untaggable.has(azure)) return [];
    const { tags } = values;
    if (tags === unknown) return [undecided("tags")];
    const tag = (name: string, holds: (value: Value) => boolean, fix: string) =>
      demand(`tag ${name}`, at(tags, name), holds, fix);
    const exactly = (name: string, wanted: string) =>
      tag(name, (value) => value === wanted, `set it to "${wanted}" (infra/azure/tags.ts)`);
    return [
      ...exactly("project", "ms5-timescale"),
      ...exactly("environment", environment),
      ...exactly("managed-by", "pulumi"),
      ...tag(
        "owner",
        (value) => typeof value === "string" && value !== "",
        "set azure.owner to who answers for it",
      ),
    ];
  },
};
