// What a stack is charged for in a month, line by line. Where only a limit is known, the line is the limit and says so.
import type { ClusterSettings } from "../config";
import { parseBytes } from "../database/quantity";
import type { MonitoringSettings } from "../monitoring/settings";
import { managedCharges } from "./managedCost";
import { premiumTier } from "./premiumTiers";
import { hoursPerMonth, periods, pricesOf } from "./prices";
import type { AksSettings, AzureSettings } from "./settings";
import { osDisk, requireVmSize } from "./vmSizes";

export interface CostItem {
  readonly name: string;
  /** Key of the price, for `azure.prices`. */
  readonly priceKey: string;
  /** Of one unit for one period. */
  readonly price: number;
  /** Units times periods in a month: node-hours, disk-months, GB. */
  readonly quantity: number;
  /** Rounded as a bill is. */
  readonly monthly: number;
}

/** What is charged for, before it has a price. */
interface Charge {
  readonly name: string;
  readonly priceKey: string;
  /** Of the price's units. */
  readonly units: number;
  /** Part of the month in which they are there; all of it by default. */
  readonly share?: number;
}

export interface CostSettings extends Pick<ClusterSettings, "members" | "dataVolume" | "walVolume"> {
  /** Left out: nothing of Azure's watches. */
  readonly monitoring?: Pick<MonitoringSettings, "place" | "grafana"> | undefined;
}

const gibibyte = 2 ** 30;
const daysPerMonth = hoursPerMonth / 24;
/** Logs are kept for so long without a charge. */
const freeRetentionDays = 31;
/** Of every Premium SSD v2, without a charge. */
const freeIops = 3_000;
const freeThroughput = 125;

/**
 * Every line of a month's bill that depends on the config; nothing for what was there already. Traffic out of Azure and
 * single requests are not in it.
 *
 * @throws UserError for a size or a key of `azure.prices` that is not in the tables
 */
export function costItems(azure: AzureSettings, cluster: CostSettings): CostItem[] {
  const priceOf = pricesOf(azure);
  const charges = [
    ...(azure.existing.cluster === undefined ? clusterCharges(azure) : []),
    ...volumeCharges(azure, cluster),
    ...endpointCharges(azure, cluster),
    { name: `Registry, ${azure.registry.sku}`, priceKey: `registry.${azure.registry.sku}`, units: 1 },
    backupCharge(azure),
    ...logCharges(azure),
    ...monitoringCharges(azure, cluster),
  ];
  return charges
    .filter(({ units }) => units > 0)
    .map(({ name, priceKey, units, share = 1 }) => {
      const { price, per } = priceOf(priceKey);
      const quantity = units * periods[per] * share;
      return { name, priceKey, price, quantity, monthly: Math.round(quantity * price * 100) / 100 };
    });
}

function clusterCharges({ kubernetes }: AzureSettings): Charge[] {
  const { tier, systemPool, databasePool, defender } = kubernetes;
  const share = runningShare(kubernetes.workingHours);
  const hours = share < 1 ? `, ${Math.round(share * hoursPerMonth)} hours` : "";
  const pools = [
    { of: "System", count: systemPool.min, size: systemPool.size, spot: false },
    { of: "Database", count: databasePool.nodes, size: databasePool.size, spot: databasePool.spot },
  ];
  const vcpus = pools.reduce((sum, { count, size }) => sum + count * requireVmSize(size).vcpus, 0);
  // Charged while the cluster is stopped, too, unless it is nodes: no page says that the rest is free then.
  return [
    ...(tier === "Free" ? [] : [{ name: `Control plane, tier ${tier}`, priceKey: `aks.${tier}`, units: 1 }]),
    ...pools.map(({ of, count, size, spot }) => ({
      name: `${of} nodes: ${count} × ${size}${spot ? ", spot" : ""}${hours}`,
      priceKey: `vm.${size}${spot ? ".spot" : ""}`,
      units: count,
      share,
    })),
    ...pools.map(({ of, count, size }) => osDiskCharge(of, count, size)),
    { name: "Load balancer, for the way out", priceKey: "loadBalancer", units: 1 },
    { name: "Public address, for the way out", priceKey: "publicIp", units: 1 },
    ...(defender
      ? [{ name: `Defender: ${vcpus} CPUs${hours}`, priceKey: "defender", units: vcpus, share }]
      : []),
  ];
}

function osDiskCharge(of: string, count: number, size: string): Charge {
  const { osDiskType, osDiskSizeGB } = osDisk(size);
  const tier = premiumTier(osDiskSizeGB * gibibyte);
  const units = osDiskType === "Ephemeral" ? 0 : count;
  return { name: `${of} nodes' OS disks: ${count} × ${tier}`, priceKey: `disk.${tier}`, units };
}

function volumeCharges({ disks }: AzureSettings, { members, dataVolume, walVolume }: CostSettings): Charge[] {
  const volumes = [
    { of: "Data", size: dataVolume, iops: disks.iops, throughput: disks.throughput },
    // The log's disk has the speed that comes with it.
    { of: "WAL", size: walVolume, iops: freeIops, throughput: freeThroughput },
  ];
  return volumes.flatMap(({ of, size, iops, throughput }): Charge[] => {
    const bytes = volumeBytes(size);
    if (disks.kind === "PremiumV1") {
      const tier = premiumTier(bytes);
      return [
        {
          name: `${of} volumes: ${members} × ${size} (${tier})`,
          priceKey: `disk.${tier}`,
          units: members,
        },
      ];
    }
    const gib = Math.ceil(bytes / gibibyte);
    const more = { iops: Math.max(0, iops - freeIops), throughput: Math.max(0, throughput - freeThroughput) };
    return [
      { name: `${of} volumes: ${members} × ${gib} GiB`, priceKey: "diskV2.capacity", units: members * gib },
      {
        name: `${of} volumes: ${more.iops} IOPS more each`,
        priceKey: "diskV2.iops",
        units: members * more.iops,
      },
      {
        name: `${of} volumes: ${more.throughput} MB/s more each`,
        priceKey: "diskV2.throughput",
        units: members * more.throughput,
      },
    ];
  });
}

/** Each endpoint with a DNS zone of its own; AKS makes those of a private API server. */
function endpointCharges(
  { network, registry, kubernetes, existing }: AzureSettings,
  { monitoring }: CostSettings,
): Charge[] {
  const to = [
    ...(network.privateEndpoints ? ["backups", "key vault"] : []),
    ...(network.privateEndpoints && registry.sku === "Premium" ? ["registry"] : []),
    ...(kubernetes.privateApiServer && existing.cluster === undefined ? ["API server"] : []),
    ...(network.privateEndpoints && monitoring?.place === "azure" && monitoring.grafana ? ["Grafana"] : []),
  ];
  return [
    { name: `Private endpoints: ${to.join(", ")}`, priceKey: "privateEndpoint", units: to.length },
    { name: "Their DNS zones", priceKey: "privateDnsZone", units: to.length },
  ];
}

/** How much of it is in the cheaper tier depends on how long backups are kept: priced as if none was. */
function backupCharge({ backups: { expectedGb, redundancy } }: AzureSettings): Charge {
  return {
    name: `Backups: ${expectedGb} GB, ${redundancy}`,
    priceKey: `blob.hot.${redundancy}`,
    units: expectedGb,
  };
}

function logCharges({ logs: { dailyCapGb, retentionDays } }: AzureSettings): Charge[] {
  return [
    {
      name: `Audit logs: ${dailyCapGb} GB a day, which is their limit`,
      priceKey: "logs.ingestion",
      units: dailyCapGb * daysPerMonth,
    },
    {
      name: `Audit logs kept beyond ${freeRetentionDays} days`,
      priceKey: "logs.retention",
      units: dailyCapGb * Math.max(0, retentionDays - freeRetentionDays),
    },
  ];
}

function monitoringCharges({ kubernetes }: AzureSettings, { members, monitoring }: CostSettings): Charge[] {
  if (monitoring === undefined) return [];
  const nodes = kubernetes.systemPool.min + kubernetes.databasePool.nodes;
  return managedCharges({ monitoring, members, nodes, share: runningShare(kubernetes.workingHours) });
}

/** Of a week: on five days, from start to stop; into the next day where stop is not later. */
export function runningShare(hours: AksSettings["workingHours"]): number {
  if (hours === undefined) return 1;
  const start = minutes(hours.start);
  const stop = minutes(hours.stop);
  const daily = stop > start ? stop - start : stop - start + 24 * 60;
  return (5 * daily) / (7 * 24 * 60);
}

function minutes(clock: string): number {
  const [hour = 0, minute = 0] = clock.split(":").map(Number);
  return hour * 60 + minute;
}

/** @param size as Kubernetes writes it */
export function volumeBytes(size: string): number {
  const bytes = parseBytes(size);
  if (bytes === undefined) throw new Error(`unexpected: a checked config with a volume of ${size}`);
  return bytes;
}
