/** What is refused of the platform in Azure before anything changes: what Azure would refuse halfway, and what it wouldn't. */
import { addressPlan } from "../azure/addressPlan";
import { addressDemand } from "../azure/demand";
import { azureNames, tooLong } from "../azure/names";
import { nearest } from "../azure/nearest";
import { podsOfDatabaseNode } from "../azure/pools";
import { unknownPrices } from "../azure/prices";
import { findRegion, regionNames, zonalRegionsNear } from "../azure/regions";
import { subscriptionOf } from "../azure/resourceIds";
import type { AzureSettings } from "../azure/settings";
import { allocatable, findVmSize, systemPoolProblem, type VmSize, vmSizes } from "../azure/vmSizes";
import type { ClusterSettings, StackConfig } from "../config";
import { parseBytes, parseCpus } from "../database/quantity";
import type { Problem } from "./errors";

export function azureProblems(config: StackConfig): Problem[] {
  const { azure, cluster, environment, stack } = config;
  if (azure === undefined || cluster === undefined) return [];
  const own = [
    ...regionProblems(azure),
    ...networkProblems(azure),
    ...accessProblems(azure),
    ...sizeProblems(azure, cluster),
    ...nameProblems(azure, stack),
    ...existingProblems(azure),
    ...backupProblems(azure),
    ...priceProblems(azure),
    ...(environment === "prod" ? productionProblems(azure) : []),
  ];
  return [
    ...own.map((problem) => ({ ...problem, key: `azure.${problem.key}` })),
    ...(environment === "prod" ? memberProblems(cluster) : []),
  ];
}

function memberProblems({ members }: ClusterSettings): Problem[] {
  if (members >= 3) return [];
  return [
    {
      key: "cluster.members",
      found: members,
      problem: "production needs 3: with fewer the loss of one stops writes",
      example: "3",
    },
  ];
}

function regionProblems({ region, zones }: AzureSettings): Problem[] {
  const found = findRegion(region);
  if (found === undefined) {
    const [example, ...more] = nearest(region, regionNames);
    return [
      {
        key: "region",
        found: region,
        problem: `is no region we know of (infra/azure/data/regions.json); alike: ${[example, ...more].join(", ")}`,
        example,
      },
    ];
  }
  if (found.zones >= zones.length || (found.zones === 0 && zones.length === 1)) return [];
  const others = zonalRegionsNear(found);
  return [
    {
      key: "region",
      found: region,
      problem: `has no availability zones, and azure.zones wants ${zones.length}; near it these have three: ${others.join(", ")}`,
      example: others[0],
    },
  ];
}

function networkProblems(azure: AzureSettings): Problem[] {
  const plan = addressPlan(addressDemand(azure));
  if (!("problems" in plan)) return [];
  return plan.problems.map(({ setting, problem, example }) => ({
    key: `network.${setting}`,
    found: azure.network[setting],
    problem,
    example,
  }));
}

function accessProblems({ kubernetes, existing }: AzureSettings): Problem[] {
  if (existing.cluster !== undefined) return [];
  const { privateApiServer, authorisedRanges, adminGroups } = kubernetes;
  const problems: Problem[] = [];
  if (adminGroups.length === 0) {
    problems.push({
      key: "kubernetes.adminGroups",
      found: undefined,
      problem: "is not set: there are no local accounts, so nobody could administrate the cluster",
      example: '["00000000-0000-0000-0000-000000000000"]',
    });
  }
  if (!privateApiServer && authorisedRanges.length === 0) {
    problems.push({
      key: "kubernetes.authorisedRanges",
      found: undefined,
      problem: "is not set, and the API server is not private: the whole internet could try to log in",
      example: '["198.51.100.0/24"]',
    });
  }
  if (privateApiServer && authorisedRanges.length > 0) {
    problems.push({
      key: "kubernetes.authorisedRanges",
      found: authorisedRanges,
      problem: "says nothing about a private API server, which only the virtual network reaches",
    });
  }
  for (const range of authorisedRanges.filter((range) => range.endsWith("/0"))) {
    problems.push({
      key: "kubernetes.authorisedRanges",
      found: range,
      problem: "is the whole internet",
      example: '["198.51.100.0/24"]',
    });
  }
  return problems;
}

function sizeProblems({ kubernetes, existing }: AzureSettings, cluster: ClusterSettings): Problem[] {
  if (existing.cluster !== undefined) return [];
  const { systemPool, databasePool } = kubernetes;
  const system = findVmSize(systemPool.size);
  const database = findVmSize(databasePool.size);
  const problems: Problem[] = [];
  if (system === undefined) problems.push(unknownSize("kubernetes.systemPool.size", systemPool.size));
  if (database === undefined) problems.push(unknownSize("kubernetes.databasePool.size", databasePool.size));
  const unfit = system && systemPoolProblem(system);
  if (unfit !== undefined) {
    problems.push({
      key: "kubernetes.systemPool.size",
      found: systemPool.size,
      problem: unfit,
      example: "Standard_D4as_v5",
    });
  }
  if (systemPool.min > systemPool.max) {
    problems.push({
      key: "kubernetes.systemPool.min",
      found: systemPool.min,
      problem: `is more than max (${systemPool.max})`,
      example: String(systemPool.max),
    });
  }
  if (database === undefined) return problems;
  problems.push(...podProblems(database, cluster));
  if (databasePool.spot && !database.spot) {
    problems.push({
      key: "kubernetes.databasePool.spot",
      found: true,
      problem: `${database.name} is not sold as a spot machine`,
      example: "false",
    });
  }
  return problems;
}

function unknownSize(key: string, size: string): Problem {
  const alike = nearest(
    size,
    vmSizes.map(({ name }) => name),
  );
  return {
    key,
    found: size,
    problem: `is no size we know of (infra/azure/data/vmSizes.json); alike: ${alike.join(", ")}`,
    example: alike[0],
  };
}

/** What every node runs beside the database: network, disks, logs ("daemon sets of AKS", by their requests). */
const daemons = { cpuMillis: 400, memoryBytes: 600 * 2 ** 20 };

function podProblems(node: VmSize, cluster: ClusterSettings): Problem[] {
  const room = spare(node);
  // The schema has made sure that both can be read.
  const cpuMillis = 1000 * (parseCpus(cluster.cpu) ?? 0);
  const memoryBytes = parseBytes(cluster.memory) ?? 0;
  const larger = vmSizes.find(
    (size) =>
      size.family === node.family &&
      spare(size).cpuMillis >= cpuMillis &&
      spare(size).memoryBytes >= memoryBytes,
  );
  const refuse = (what: string) => ({
    key: "kubernetes.databasePool.size",
    found: node.name,
    problem: `leaves a pod ${what}`,
    example: larger?.name,
  });
  return [
    ...(cpuMillis > room.cpuMillis
      ? [refuse(`${room.cpuMillis}m of CPU, and cluster.cpu is ${cluster.cpu}`)]
      : []),
    ...(memoryBytes > room.memoryBytes
      ? [
          refuse(
            `${Math.floor(room.memoryBytes / 2 ** 20)}Mi of memory, and cluster.memory is ${cluster.memory}`,
          ),
        ]
      : []),
  ];
}

/** What is left for a member on a node of its own. */
function spare(node: VmSize): { cpuMillis: number; memoryBytes: number } {
  const room = allocatable(node, podsOfDatabaseNode);
  return {
    cpuMillis: room.cpuMillis - daemons.cpuMillis,
    memoryBytes: room.memoryBytes - daemons.memoryBytes,
  };
}

function nameProblems({ organisation }: AzureSettings, stack: string): Problem[] {
  return tooLong(azureNames(organisation, stack)).map(({ what, name, longest }) => {
    const left = organisation.length - (name.length - longest);
    const problem = `with stack "${stack}" makes the ${what} "${name}", of ${name.length} characters; Azure allows ${longest}`;
    return {
      key: "organisation",
      found: organisation,
      // An organisation has at least two characters.
      ...(left >= 2
        ? { problem, example: organisation.slice(0, left) }
        : { problem: `${problem}: give the stack a shorter name, e.g. prod-eu` }),
    };
  });
}

function existingProblems({ existing, network, subscription }: AzureSettings): Problem[] {
  const { nodeSubnet, endpointSubnet, cluster, resourceGroup } = existing;
  const problems: Problem[] = [];
  if (resourceGroup !== undefined && subscriptionOf(resourceGroup) !== subscription) {
    problems.push({
      key: "existing.resourceGroup",
      found: resourceGroup,
      problem: `is in another subscription than azure.subscription (${subscription})`,
      example: `/subscriptions/${subscription}/resourceGroups/NAME`,
    });
  }
  if ((nodeSubnet === undefined) !== (endpointSubnet === undefined)) {
    const key = nodeSubnet === undefined ? "nodeSubnet" : "endpointSubnet";
    problems.push({
      key: `existing.${key}`,
      found: undefined,
      problem:
        "is not set: a network that is there already needs a subnet for nodes and one for private endpoints",
      example: `/subscriptions/…/subnets/${key === "nodeSubnet" ? "nodes" : "endpoints"}`,
    });
  }
  if (cluster !== undefined && nodeSubnet === undefined) {
    problems.push({
      key: "existing.nodeSubnet",
      found: undefined,
      problem: `is not set: ${network.privateEndpoints ? "private endpoints go to" : "storage has to know"} the network of the cluster that is there already`,
      example: "/subscriptions/…/subnets/nodes",
    });
  }
  return problems;
}

function backupProblems({ region, backups }: AzureSettings): Problem[] {
  const { redundancy, softDeleteDays } = backups;
  const found = findRegion(region);
  const problems: Problem[] = [];
  if (redundancy.startsWith("G") && found !== undefined && found.pair === undefined) {
    problems.push({
      key: "backups.redundancy",
      found: redundancy,
      problem: `needs a paired region, and ${region} has none`,
      example: "ZRS",
    });
  }
  if (redundancy.endsWith("ZRS") && found !== undefined && found.zones < 3) {
    problems.push({
      key: "backups.redundancy",
      found: redundancy,
      problem: `needs availability zones, and ${region} has none`,
      example: redundancy === "GZRS" ? "GRS" : "LRS",
    });
  }
  // "Soft delete for blobs": 1 to 365 days.
  if (softDeleteDays > 365) {
    problems.push({
      key: "backups.softDeleteDays",
      found: softDeleteDays,
      problem: "Azure keeps what was deleted for at most 365 days",
      example: "365",
    });
  }
  return problems;
}

function priceProblems({ prices }: AzureSettings): Problem[] {
  return unknownPrices(prices).map(({ key, near }) => ({
    key: `prices.${key}`,
    found: prices[key],
    problem: `there is no such price; alike: ${near.join(", ")}`,
  }));
}

/** What production cannot be without. */
function productionProblems(azure: AzureSettings): Problem[] {
  const problems: Problem[] = [];
  if (azure.budget === undefined) {
    problems.push({
      key: "budget.amount",
      found: undefined,
      problem: "is not set: production without a budget is found out by the bill",
      example: "1500",
    });
  }
  if (!azure.protect) {
    problems.push({
      key: "protect",
      found: false,
      problem: "must stay on in production: without it a wrong `up` or `destroy` takes the backups along",
      example: "true",
    });
  }
  if (!azure.locks) {
    problems.push({
      key: "locks",
      found: false,
      problem: "must stay on in production: without it a click in the portal takes the backups along",
      example: "true",
    });
  }
  if (azure.kubernetes.databasePool.spot) {
    problems.push({
      key: "kubernetes.databasePool.spot",
      found: true,
      problem: "in production all members could be taken away at once",
      example: "false",
    });
  }
  if (azure.kubernetes.workingHours !== undefined) {
    problems.push({
      key: "kubernetes.workingHours",
      found: azure.kubernetes.workingHours,
      problem: "production would be stopped at night",
    });
  }
  return problems;
}
