/** What the Azure platform is by default in each environment, and why. A stack's own config comes on top. */
import type { AksSettings, AzureSettings } from "./settings";

/** What nobody else can know. */
type Own =
  | "organisation"
  | "owner"
  | "subscription"
  | "tenant"
  | "costCentre"
  | "tags"
  | "existing"
  | "budget"
  | "prices";

export interface AzureDefaults extends Omit<AzureSettings, Own | "kubernetes"> {
  readonly kubernetes: Omit<AksSettings, "adminGroups" | "authorisedRanges" | "databasePool"> & {
    readonly databasePool: { readonly size: string; readonly spot: boolean };
  };
}

const prod: AzureDefaults = {
  region: "westeurope",
  zones: ["1", "2", "3"],
  network: {
    addressSpace: "10.40.0.0/22",
    podNetwork: "10.244.0.0/16",
    serviceNetwork: "10.96.0.0/16",
    privateEndpoints: true,
  },
  kubernetes: {
    version: "1.35",
    tier: "Standard",
    privateApiServer: true,
    defender: true,
    // The quietest night of a factory that works six days.
    maintenance: { day: "Sunday", startHour: 1, hours: 4 },
    // One in each zone: pooler and monitoring survive the loss of one.
    systemPool: { size: "Standard_D4as_v5", min: 3, max: 5 },
    // Memory holds what dashboards ask for; CPUs idle between the minutes' refreshes.
    databasePool: { size: "Standard_E4ads_v5", spot: false },
    workingHours: undefined,
  },
  disks: { kind: "PremiumV1", iops: 3_000, throughput: 125 },
  registry: { sku: "Premium" },
  backups: {
    // The loss of a region must not be the loss of the backups.
    redundancy: "GZRS",
    softDeleteDays: 30,
    immutableDays: 14,
    coolAfterDays: 30,
    expectedGb: 300,
  },
  logs: { retentionDays: 90, dailyCapGb: 2 },
  locks: true,
  protect: true,
};

/** As production in everything that can break, smaller in everything that only costs. */
const staging: AzureDefaults = {
  ...prod,
  network: { ...prod.network, addressSpace: "10.41.0.0/22" },
  kubernetes: {
    ...prod.kubernetes,
    tier: "Free",
    // Before production: what an upgrade breaks is seen here first.
    maintenance: { day: "Wednesday", startHour: 1, hours: 4 },
    systemPool: { size: "Standard_D4as_v5", min: 2, max: 4 },
    databasePool: { size: "Standard_E2ads_v5", spot: false },
  },
  registry: { sku: "Basic" },
  backups: { ...prod.backups, redundancy: "ZRS", softDeleteDays: 14, immutableDays: 0, expectedGb: 100 },
  logs: { retentionDays: 30, dailyCapGb: 1 },
};

/** Cheap before complete: one zone, machines that may be taken away, nothing at night. */
const dev: AzureDefaults = {
  ...staging,
  zones: ["1"],
  network: { ...prod.network, addressSpace: "10.42.0.0/22", privateEndpoints: false },
  kubernetes: {
    ...staging.kubernetes,
    privateApiServer: false,
    defender: false,
    maintenance: { day: "Monday", startHour: 8, hours: 4 },
    systemPool: { size: "Standard_D4as_v5", min: 1, max: 2 },
    databasePool: { size: "Standard_D2as_v5", spot: true },
    workingHours: { start: "07:00", stop: "19:00", timeZone: "W. Europe Standard Time" },
  },
  backups: { ...staging.backups, redundancy: "LRS", softDeleteDays: 7, expectedGb: 20 },
  locks: false,
  protect: false,
};

export const azureDefaults = { dev, staging, prod } as const;
