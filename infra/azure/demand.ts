import { type AddressDemand, type AddressPlan, addressPlan } from "./addressPlan";
import { upgradeSurge } from "./pools";
import type { AzureSettings } from "./settings";

/** How many addresses a stack wants at most, while both pools are upgraded at once. */
export function addressDemand({ network, kubernetes }: AzureSettings): AddressDemand {
  const { addressSpace, podNetwork, serviceNetwork } = network;
  const nodes = kubernetes.systemPool.max + upgradeSurge + kubernetes.databasePool.nodes + upgradeSurge;
  return { addressSpace, podNetwork, serviceNetwork, nodes };
}

/** The plan of a config that was checked. */
export function requireAddressPlan(azure: AzureSettings): AddressPlan {
  const plan = addressPlan(addressDemand(azure));
  if ("problems" in plan) throw new Error(`unexpected: a config with ${plan.problems[0]?.problem}`);
  return plan;
}
