// What the same service would cost in the naive layout: without what this stack does to cost less. Each step takes one
// thing away from the settings and prices them again, so that no percentage stands anywhere but in the result.

import { type CostSettings, costItems, volumeBytes } from "./costItems";
import { largestPremiumBytes } from "./premiumTiers";
import type { AzureSettings } from "./settings";
import { requireVmSize, vmSizes } from "./vmSizes";

export interface Saving {
  readonly name: string;
  readonly why: string;
  /** What it would cost more without it, and without those before it. */
  readonly monthly: number;
}

export interface NaiveLayout {
  /** A month of it. */
  readonly total: number;
  /** Together what the naive layout costs more; without those that save nothing here. */
  readonly savings: readonly Saving[];
}

interface Layout {
  readonly azure: AzureSettings;
  readonly cluster: CostSettings;
}

interface Step {
  readonly name: string;
  readonly why: string;
  /** The layout without it; undefined where the stack does not do it. */
  readonly without: (layout: Layout) => Layout | undefined;
}

/**
 * Of the bytes of rows. The source documents measured 27 %. Calibration data of ours came to 3 to 11 %, but a data volume
 * holds young rows and indexes, too.
 */
const leftByColumnstore = 0.27;

const steps: readonly Step[] = [
  {
    name: "Stopped outside working hours",
    why: "naive: runs day and night",
    without: ({ azure, cluster }) => withKubernetes({ azure, cluster }, { workingHours: undefined }),
  },
  {
    name: "Spot nodes for the database",
    why: "naive: the same nodes at the full price",
    without: ({ azure, cluster }) =>
      withDatabasePool({ azure, cluster }, { ...azure.kubernetes.databasePool, spot: false }),
  },
  {
    name: "Memory-optimised nodes for the database",
    why: "naive: the same memory on general-purpose nodes",
    without: onGeneralPurposeNodes,
  },
  {
    name: "Telemetry in columns",
    why: `naive: the same history in rows; ${100 * leftByColumnstore} % of the bytes are left of them`,
    without: inRows,
  },
  {
    name: "Premium SSD v2",
    why: "naive: Premium SSD, sold by the tier",
    without: onPremiumTiers,
  },
  {
    name: "Backups with as many copies as needed",
    why: "naive: a second copy in another region",
    without: ({ azure, cluster }) => ({
      azure: { ...azure, backups: { ...azure.backups, redundancy: "GRS" } },
      cluster,
    }),
  },
];

/**
 * The naive layout of the same service. What this stack pays more for than the naive layout would (copies of backups in
 * three zones and another region, say) is in both.
 */
export function naiveLayout(azure: AzureSettings, cluster: CostSettings): NaiveLayout {
  let layout: Layout = { azure, cluster };
  let total = totalOf(layout);
  const savings: Saving[] = [];
  for (const { name, why, without } of steps) {
    const more = without(layout);
    if (more === undefined) continue;
    const monthly = cents(totalOf(more) - total);
    if (monthly <= 0) continue;
    savings.push({ name, why, monthly });
    layout = more;
    total = totalOf(more);
  }
  return { total, savings };
}

/** The smallest general-purpose size of the same make with as much memory. One's own price compares with no list price. */
function onGeneralPurposeNodes(layout: Layout): Layout | undefined {
  const { kubernetes, prices } = layout.azure;
  const pool = kubernetes.databasePool;
  const size = requireVmSize(pool.size);
  if (size.family !== "memory" || prices[`vm.${size.name}`] !== undefined) return undefined;
  const general = vmSizes
    .filter(({ name, family }) => family === "general" && make(name) === make(size.name))
    .find(({ memoryGib }) => memoryGib >= size.memoryGib);
  return general && withDatabasePool(layout, { ...pool, size: general.name });
}

/** What remains of a size's name without its family and number: `ads_v5`. */
function make(size: string): string {
  return size.replace(/^Standard_[A-Z]\d+/, "");
}

/** With data volumes as large as rows would need, if there are disks of that size. */
function inRows({ azure, cluster }: Layout): Layout | undefined {
  const bytes = Math.ceil(volumeBytes(cluster.dataVolume) / leftByColumnstore);
  if (bytes > largestPremiumBytes) return undefined;
  return { azure, cluster: { ...cluster, dataVolume: String(bytes) } };
}

function onPremiumTiers({ azure, cluster }: Layout): Layout | undefined {
  const volumes = [cluster.dataVolume, cluster.walVolume].map(volumeBytes);
  if (volumes.some((bytes) => bytes > largestPremiumBytes)) return undefined;
  return { azure: { ...azure, disks: { ...azure.disks, kind: "PremiumV1" } }, cluster };
}

function withDatabasePool(layout: Layout, databasePool: AzureSettings["kubernetes"]["databasePool"]): Layout {
  return withKubernetes(layout, { databasePool });
}

function withKubernetes({ azure, cluster }: Layout, more: Partial<AzureSettings["kubernetes"]>): Layout {
  return { azure: { ...azure, kubernetes: { ...azure.kubernetes, ...more } }, cluster };
}

function totalOf({ azure, cluster }: Layout): number {
  return costItems(azure, cluster).reduce((sum, { monthly }) => sum + monthly, 0);
}

function cents(amount: number): number {
  return Math.round(amount * 100) / 100;
}
