/** What a person is told of the platform before it is made. */
import * as pulumi from "@pulumi/pulumi";
import type { StackConfig } from "../config";
import { costSummary, type Estimate, estimate } from "./cost";
import { checkVersionSupport } from "./versionSupport";

/** Monthly costs, as the stack's outputs have them: the next preview shows the difference. */
export interface MonthlyCost {
  readonly total: number;
  readonly currency: string;
  readonly items: readonly { readonly name: string; readonly monthly: number }[];
}

/**
 * Says what a stack in Azure will cost, and what will not be supported for long.
 *
 * @throws UserError when its Kubernetes version is not supported
 */
export function reportAzure(config: StackConfig, today: Date): MonthlyCost | undefined {
  const { azure, cluster, monitoring, stack } = config;
  if (azure === undefined || cluster === undefined) return undefined;
  const warning = checkVersionSupport(config, today);
  if (warning !== undefined) void pulumi.log.warn(warning);
  const cost = estimate(azure, { ...cluster, monitoring });
  void pulumi.log.info(
    `Costs ${costSummary(cost, azure.budget)}; line by line: npm run ops -- cost ${stack}`,
  );
  return outputOf(cost);
}

function outputOf({ total, currency, items }: Estimate): MonthlyCost {
  return {
    total: Math.round(total),
    currency,
    items: items.map(({ name, monthly }) => ({ name, monthly })),
  };
}
