import type { StackConfig } from "../config";
import type { AzureSettings } from "./settings";

/** On everything that can have tags: whose it is, what it belongs to, and who made it. */
export function tagsOf({ environment, stack }: StackConfig, azure: AzureSettings): Record<string, string> {
  return {
    ...azure.tags,
    project: "ms5-timescale",
    environment,
    stack,
    owner: azure.owner,
    ...(azure.costCentre === undefined ? {} : { "cost-centre": azure.costCentre }),
    "managed-by": "pulumi",
  };
}
