/** Lays what is written of Azure over the environment's defaults. */
import { azureDefaults } from "../azure/environmentDefaults";
import type { AzureSettings } from "../azure/settings";
import type { Environment } from "../environments";
import type { AzureInput } from "./azureSchema";
import { defined } from "./defined";
import { configError, type Problem } from "./errors";

/** @throws UserError when something is missing that nobody else can know */
export function azureSettings(
  stack: string,
  environment: Environment,
  input: AzureInput,
  members: number,
): AzureSettings {
  const { organisation, owner, subscription, tenant } = input;
  if (
    organisation === undefined ||
    owner === undefined ||
    subscription === undefined ||
    tenant === undefined
  ) {
    throw configError(stack, missing(input));
  }
  // An environment that is not at home in Azure is a trial there.
  const defaults = azureDefaults[environment === "prod" || environment === "staging" ? environment : "dev"];
  const aks = input.kubernetes ?? {};
  return {
    organisation,
    owner,
    subscription,
    tenant,
    region: input.region ?? defaults.region,
    zones: input.zones ?? defaults.zones,
    costCentre: input.costCentre,
    tags: input.tags ?? {},
    existing: {
      resourceGroup: input.existing?.resourceGroup,
      nodeSubnet: input.existing?.nodeSubnet,
      endpointSubnet: input.existing?.endpointSubnet,
      cluster: input.existing?.cluster,
    },
    network: over(defaults.network, input.network),
    kubernetes: {
      version: aks.version ?? defaults.kubernetes.version,
      tier: aks.tier ?? defaults.kubernetes.tier,
      privateApiServer: aks.privateApiServer ?? defaults.kubernetes.privateApiServer,
      authorisedRanges: aks.authorisedRanges ?? [],
      adminGroups: aks.adminGroups ?? [],
      defender: aks.defender ?? defaults.kubernetes.defender,
      maintenance: over(defaults.kubernetes.maintenance, aks.maintenance),
      systemPool: over(defaults.kubernetes.systemPool, aks.systemPool),
      databasePool: { ...over(defaults.kubernetes.databasePool, aks.databasePool), nodes: members },
      workingHours: workingHours(defaults.kubernetes.workingHours, aks.workingHours),
    },
    disks: over(defaults.disks, input.disks),
    registry: over(defaults.registry, input.registry),
    backups: over(defaults.backups, input.backups),
    logs: over(defaults.logs, input.logs),
    budget:
      input.budget?.amount === undefined
        ? undefined
        : { amount: input.budget.amount, contacts: input.budget.contacts ?? [] },
    locks: input.locks ?? defaults.locks,
    protect: input.protect ?? defaults.protect,
    prices: input.prices ?? {},
  };
}

function missing({ organisation, owner, subscription, tenant }: AzureInput): Problem[] {
  const needed = [
    {
      key: "azure.organisation",
      found: organisation,
      problem: "is not set: part of every name in Azure, some of which nobody else in the world may have",
      example: "acme",
    },
    {
      key: "azure.owner",
      found: owner,
      problem: "is not set: who answers for it, and hears when the budget is used up",
      example: "platform@example.com",
    },
    {
      key: "azure.subscription",
      found: subscription,
      problem: "is not set: where everything goes. `az account show --query id` tells",
      example: "11111111-1111-4111-8111-111111111111",
    },
    {
      key: "azure.tenant",
      found: tenant,
      problem: "is not set: whose people may log in. `az account show --query tenantId` tells",
      example: "22222222-2222-4222-8222-222222222222",
    },
  ];
  return needed.filter(({ found }) => found === undefined);
}

type Hours = AzureSettings["kubernetes"]["workingHours"];

function workingHours(defaults: Hours, input: NonNullable<AzureInput["kubernetes"]>["workingHours"]): Hours {
  const { always, ...own } = input ?? {};
  const usual = { start: "07:00", stop: "19:00", timeZone: "W. Europe Standard Time" };
  if (always === true) return undefined;
  if (defaults === undefined && Object.keys(own).length === 0) return undefined;
  return over(defaults ?? usual, own);
}

/** What is written replaces its default. */
function over<T extends object>(defaults: T, input: { [K in keyof T]?: T[K] | undefined } = {}): T {
  return { ...defaults, ...defined(input) };
}
