/** What may be written of the platform in Azure. */
import { z } from "zod";

const cidr = z.cidrv4();

const wholeDays = z.int().min(0).max(3_650).meta({ unit: "days", example: "30" });

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day, e.g. 07:00");

/** @param kind of the thing, as in its resource id */
function resourceId(kind: string) {
  return z
    .string()
    .regex(
      /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+(\/.*)?$/,
      "a resource id, as `az … show --query id` prints it",
    )
    .refine((id) => id.toLowerCase().split("/").at(-2) === kind.toLowerCase(), {
      message: `the resource id of one of ${kind}: /subscriptions/…/${kind}/NAME`,
    })
    .optional()
    .meta({ unit: "resource id", example: `/subscriptions/…/${kind}/NAME` });
}

const existing = z.strictObject({
  resourceGroup: resourceId("resourceGroups").describe("Resource group to use instead of creating one"),
  nodeSubnet: resourceId("subnets").describe("Subnet for the nodes, instead of a virtual network of our own"),
  endpointSubnet: resourceId("subnets").describe("Subnet for private endpoints; goes with nodeSubnet"),
  cluster: resourceId("managedClusters").describe("AKS cluster to use instead of creating one"),
});

const kubernetes = z.strictObject({
  version: z
    .string()
    .regex(/^1\.\d{2}$/, "a minor version, e.g. 1.35")
    .optional()
    .meta({ example: "1.35" })
    .describe("Kubernetes version of AKS; patches come by themselves, in the maintenance window"),
  tier: z
    .enum(["Free", "Standard", "Premium"])
    .optional()
    .describe("AKS tier: Standard has an SLA for the control plane, Premium adds two years of support"),
  privateApiServer: z
    .boolean()
    .optional()
    .describe("Whether the API server has an address inside the virtual network only"),
  authorisedRanges: z
    .array(cidr)
    .optional()
    .meta({ unit: "IPv4 networks", example: '["198.51.100.0/24"]' })
    .describe("Who may reach a public API server"),
  adminGroups: z
    .array(z.uuid())
    .optional()
    .meta({ unit: "object ids", example: '["00000000-0000-0000-0000-000000000000"]' })
    .describe(
      "Entra ID groups whose members administrate the cluster: people, and the identity that runs `up`. There are no local accounts",
    ),
  defender: z.boolean().optional().describe("Microsoft Defender for Containers on the nodes"),
  maintenance: z
    .strictObject({
      day: z
        .enum(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"])
        .optional()
        .describe("Day of the week of upgrades"),
      startHour: z
        .int()
        .min(0)
        .max(23)
        .optional()
        .meta({ unit: "hour, UTC", example: "2" })
        .describe("When upgrades may begin"),
      hours: z
        .int()
        .min(4)
        .max(24)
        .optional()
        .meta({ unit: "hours", example: "4" })
        .describe("How long upgrades may go on"),
    })
    .optional(),
  systemPool: z
    .strictObject({
      size: z
        .string()
        .optional()
        .meta({ unit: "VM size", example: "Standard_D4as_v5" })
        .describe("Nodes for everything but the database: pooler, monitoring, Kubernetes itself"),
      min: z
        .int()
        .min(1)
        .max(100)
        .optional()
        .meta({ unit: "nodes", example: "2" })
        .describe("Fewest of them"),
      max: z.int().min(1).max(100).optional().meta({ unit: "nodes", example: "4" }).describe("Most of them"),
    })
    .optional(),
  databasePool: z
    .strictObject({
      size: z
        .string()
        .optional()
        .meta({ unit: "VM size", example: "Standard_E8s_v5" })
        .describe("Nodes of the database, one for each member"),
      spot: z
        .boolean()
        .optional()
        .describe(
          "Nodes that Azure may take back at any moment, for a fraction of the price. Data stays on its disks; the database does not stay up",
        ),
    })
    .optional(),
  workingHours: z
    .strictObject({
      start: clock
        .optional()
        .meta({ unit: "time of day", example: "07:00" })
        .describe("When the cluster is started on weekdays"),
      stop: clock
        .optional()
        .meta({ unit: "time of day", example: "19:00" })
        .describe("When it is stopped, with the database in it"),
      timeZone: z
        .string()
        .min(1)
        .optional()
        .meta({ unit: "Windows time zone", example: "W. Europe Standard Time" })
        .describe("Whose time that is"),
      always: z.boolean().optional().describe("Whether the cluster runs day and night"),
    })
    .optional(),
});

export const azureSchema = z.strictObject({
  organisation: z
    .string()
    .regex(/^[a-z][a-z0-9]{1,7}$/, "2 to 8 letters and digits in lower case, beginning with a letter")
    .optional()
    .meta({ example: "acme" })
    .describe("Short name of your company: part of every name in Azure, some of which nobody else may have"),
  subscription: z
    .uuid()
    .optional()
    .meta({ unit: "id", example: "11111111-1111-4111-8111-111111111111" })
    .describe("Azure subscription everything goes to; a login to another one changes nothing there"),
  tenant: z
    .uuid()
    .optional()
    .meta({ unit: "id", example: "22222222-2222-4222-8222-222222222222" })
    .describe("Entra ID tenant whose people and identities may log in"),
  region: z
    .string()
    .regex(/^[a-z0-9]+$/, "as Azure writes it, e.g. westeurope")
    .optional()
    .meta({ example: "westeurope" })
    .describe("Where everything is"),
  zones: z
    .array(z.enum(["1", "2", "3"]))
    .min(1)
    .optional()
    .meta({ unit: "zones", example: '["1", "2", "3"]' })
    .describe("Availability zones over which nodes and their disks are spread"),
  owner: z
    .email()
    .optional()
    .meta({ unit: "e-mail", example: "platform@example.com" })
    .describe("Who answers for it: a tag on everything, and who hears of the budget"),
  costCentre: z
    .string()
    .regex(/^[^,=]+$/, "no comma, no equals sign")
    .optional()
    .meta({ example: "4711" })
    .describe("A tag on everything"),
  tags: z
    // The disk driver takes tags as one text.
    .record(z.string(), z.string().regex(/^[^,=]*$/, "no comma, no equals sign"))
    .optional()
    .meta({ unit: "tags", example: '{"plant": "bremen"}' })
    .describe("More tags"),
  existing: existing.optional(),
  network: z
    .strictObject({
      addressSpace: cidr
        .optional()
        .meta({ unit: "IPv4 network", example: "10.40.0.0/22" })
        .describe("Addresses of the virtual network; the subnets are cut from it"),
      podNetwork: cidr
        .optional()
        .meta({ unit: "IPv4 network", example: "10.244.0.0/16" })
        .describe("Addresses of pods, a /24 for each node; the virtual network does not see them"),
      serviceNetwork: cidr
        .optional()
        .meta({ unit: "IPv4 network", example: "10.96.0.0/16" })
        .describe("Addresses of Kubernetes Services"),
      privateEndpoints: z
        .boolean()
        .optional()
        .describe(
          "Whether storage and key vault have private addresses only; without, public ones that answer to the nodes' subnet only",
        ),
    })
    .optional(),
  kubernetes: kubernetes.optional(),
  disks: z
    .strictObject({
      kind: z
        .enum(["PremiumV1", "PremiumV2"])
        .optional()
        .describe(
          "Premium SSD, whose speed goes with its size, or Premium SSD v2 with IOPS and throughput as configured",
        ),
      iops: z
        .int()
        .min(3_000)
        .max(80_000)
        .optional()
        .meta({ example: "3000" })
        .describe("Operations a second of each data volume, with PremiumV2"),
      throughput: z
        .int()
        .min(125)
        .max(1_200)
        .optional()
        .meta({ unit: "MB/s", example: "125" })
        .describe("Throughput of each data volume, with PremiumV2"),
    })
    .optional(),
  registry: z
    .strictObject({
      sku: z
        .enum(["Basic", "Standard", "Premium"])
        .optional()
        .describe("Tier of the container registry; Premium has a private endpoint"),
    })
    .optional(),
  backups: z
    .strictObject({
      redundancy: z
        .enum(["LRS", "ZRS", "GRS", "GZRS"])
        .optional()
        .describe("Copies of the backups: in one building, in three zones, or in another region too"),
      softDeleteDays: wholeDays
        .optional()
        .describe("Days in which what was deleted or overwritten can be had back"),
      immutableDays: wholeDays
        .optional()
        .describe(
          "Days in which a backup cannot be deleted for good before somebody lifts the policy, which the audit log shows; 0: none. Decided when the account is made",
        ),
      coolAfterDays: wholeDays.optional().describe("Days until a backup is moved to cheaper storage"),
      expectedGb: z
        .int()
        .min(1)
        .optional()
        .meta({ unit: "GB", example: "500" })
        .describe("How large they are expected to be; for the estimate of costs only"),
    })
    .optional(),
  logs: z
    .strictObject({
      retentionDays: z
        .int()
        .min(30)
        .max(730)
        .optional()
        .meta({ unit: "days", example: "90" })
        .describe("How long audit logs are kept"),
      dailyCapGb: z
        .int()
        .min(1)
        .max(100)
        .optional()
        .meta({ unit: "GB a day", example: "1" })
        .describe("Logs beyond it are dropped until the next day"),
    })
    .optional(),
  budget: z
    .strictObject({
      amount: z
        .int()
        .min(1)
        .optional()
        .meta({ unit: "a month, in the subscription's currency", example: "1500" })
        .describe("What a month may cost: mails at 50, 80 and 100 %, and when 100 % is forecast"),
      contacts: z
        .array(z.email())
        .optional()
        .meta({ unit: "e-mails", example: '["cfo@example.com"]' })
        .describe("Who hears of it beside the owner"),
    })
    .optional(),
  locks: z
    .boolean()
    .optional()
    .describe("Locks in Azure against deleting key vault and backups, by whomever"),
  protect: z
    .boolean()
    .optional()
    .describe("Whether Pulumi refuses to delete or replace what holds data. Production cannot be without"),
  prices: z
    .record(z.string(), z.number().min(0))
    .optional()
    .meta({ unit: "prices", example: '{"vm.Standard_E8s_v5": 0.504}' })
    .describe("Prices of yours in place of list prices, by the keys of infra/azure/data/prices.json"),
});
export type AzureInput = z.infer<typeof azureSchema>;
