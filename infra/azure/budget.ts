// infra/azure/budget.ts - who hears of it before the money is gone.
import { Budget } from "@pulumi/azure-native/consumption";
import type * as pulumi from "@pulumi/pulumi";
import type { Place } from "./place";
import { nameOf } from "./resourceIds";

const alerts = [
  { name: "half-used", threshold: 50, thresholdType: "Actual" },
  { name: "most-used", threshold: 80, thresholdType: "Actual" },
  { name: "all-used", threshold: 100, thresholdType: "Actual" },
  { name: "more-is-forecast", threshold: 100, thresholdType: "Forecasted" },
] as const;

/**
 * Of both resource groups: ours, and the one AKS makes for nodes and disks, which cost most. No group is above both but the
 * subscription.
 *
 * @param today a budget begins with the month in which it is made
 */
export function budget(
  { azure, names, groupId }: Place,
  today: Date,
  opts: pulumi.CustomResourceOptions,
): void {
  if (azure.budget === undefined) return;
  const contactEmails = [azure.owner, ...azure.budget.contacts];
  new Budget(
    "budget",
    {
      budgetName: names.budget,
      scope: `/subscriptions/${azure.subscription}`,
      filter: {
        dimensions: {
          name: "ResourceGroupName",
          operator: "In",
          values: [
            nameOf(groupId),
            ...(azure.existing.cluster === undefined ? [names.nodeResourceGroup] : []),
          ],
        },
      },
      amount: azure.budget.amount,
      category: "Cost",
      timeGrain: "Monthly",
      timePeriod: { startDate: `${today.toISOString().slice(0, 7)}-01T00:00:00Z` },
      notifications: Object.fromEntries(
        alerts.map(({ name, threshold, thresholdType }) => [
          name,
          { enabled: true, operator: "GreaterThanOrEqualTo", threshold, thresholdType, contactEmails },
        ]),
      ),
    },
    // Azure refuses another beginning once it has begun.
    { ...opts, ignoreChanges: ["timePeriod"] },
  );
}
