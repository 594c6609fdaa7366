/** The platform in Azure, with everything decided: what is made, and what is there already. */
export interface AzureSettings {
  /** Short name of the company, 2 to 8 of a-z0-9; part of names that are unique in all of Azure. */
  readonly organisation: string;
  /** Ids of where everything goes: a login to another one changes nothing there. */
  readonly subscription: string;
  readonly tenant: string;
  /** As Azure writes it: `westeurope`. */
  readonly region: string;
  /** Availability zones that nodes and disks are spread over: `["1", "2", "3"]`. */
  readonly zones: readonly string[];
  /** E-mail of who answers for it: a tag, and who hears of the budget. */
  readonly owner: string;
  readonly costCentre: string | undefined;
  /** Tags beside our own. */
  readonly tags: Readonly<Record<string, string>>;
  /** Resource ids of what is there already, and is used instead of making one. */
  readonly existing: {
    readonly resourceGroup: string | undefined;
    /** Both subnets or neither. */
    readonly nodeSubnet: string | undefined;
    readonly endpointSubnet: string | undefined;
    readonly cluster: string | undefined;
  };
  /** IPv4 networks, as CIDR. Pods have an overlay of their own: its addresses are not the virtual network's. */
  readonly network: {
    readonly addressSpace: string;
    readonly podNetwork: string;
    readonly serviceNetwork: string;
    /** Storage and key vault answer on private addresses only; else on public ones, to the nodes' subnet only. */
    readonly privateEndpoints: boolean;
  };
  readonly kubernetes: AksSettings;
  readonly disks: DiskSettings;
  readonly registry: { readonly sku: "Basic" | "Standard" | "Premium" };
  readonly backups: BackupStorageSettings;
  readonly logs: { readonly retentionDays: number; readonly dailyCapGb: number };
  /** undefined: none. */
  readonly budget: { readonly amount: number; readonly contacts: readonly string[] } | undefined;
  /** Locks against deletion by hand on what holds data. */
  readonly locks: boolean;
  /** Pulumi refuses to delete or replace what holds data. */
  readonly protect: boolean;
  /** Prices that replace those of the table, by their key. */
  readonly prices: Readonly<Record<string, number>>;
}

export interface AksSettings {
  /** Minor version: `1.35`. Patches come by themselves, in the maintenance window. */
  readonly version: string;
  readonly tier: "Free" | "Standard" | "Premium";
  readonly privateApiServer: boolean;
  /** CIDRs that may reach a public API server. */
  readonly authorisedRanges: readonly string[];
  /** Object ids of Entra ID groups whose members are the cluster's administrators. */
  readonly adminGroups: readonly string[];
  readonly defender: boolean;
  /** UTC. */
  readonly maintenance: {
    readonly day: "Monday" | "Tuesday" | "Wednesday" | "Thursday" | "Friday" | "Saturday" | "Sunday";
    readonly startHour: number;
    readonly hours: number;
  };
  readonly systemPool: { readonly size: string; readonly min: number; readonly max: number };
  /** A node for each member of the database: anti-affinity allows no two on one. */
  readonly databasePool: { readonly size: string; readonly nodes: number; readonly spot: boolean };
  /** Working hours outside of which the cluster is stopped; undefined: it always runs. */
  readonly workingHours:
    | { readonly start: string; readonly stop: string; readonly timeZone: string }
    | undefined;
}

export interface DiskSettings {
  /** Premium SSD, or Premium SSD v2 with IOPS and throughput of their own. */
  readonly kind: "PremiumV1" | "PremiumV2";
  /** Of each data volume; used with PremiumV2 only. */
  readonly iops: number;
  /** MB/s of each data volume; used with PremiumV2 only. */
  readonly throughput: number;
}

export interface BackupStorageSettings {
  readonly redundancy: "LRS" | "ZRS" | "GRS" | "GZRS";
  /** Days in which what was deleted or overwritten can be had back. */
  readonly softDeleteDays: number;
  /** Days in which a backup cannot be deleted before the policy is lifted; 0: no policy. Fixed with the account. */
  readonly immutableDays: number;
  /** Days until a backup is moved to the cool tier. */
  readonly coolAfterDays: number;
  /** Expected size in GB, for the estimate of costs. */
  readonly expectedGb: number;
}
