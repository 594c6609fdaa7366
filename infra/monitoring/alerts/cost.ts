// Alert on the expected cost of a month (infra/azure/cost.ts). Azure mails what was really spent (infra/azure/budget.ts).
import type { AlertGroup } from "../rulesFile";
import { rule } from "./rule";

export const costAlerts: AlertGroup = {
  name: "cost",
  rules: [
    rule(
      "BudgetExceeded",
      "warning",
      // Both change with the config only.
      "0m",
      "ms5_monthly_cost_estimate_dollars > ms5_monthly_budget_dollars",
      {
        summary: "This stack is expected to cost {{ $value | humanize }} a month, more than its budget",
        description: "Users notice nothing. The budget stops nothing either: Azure mails, and bills.",
        runbook_url: "docs/runbooks/budget.md",
      },
    ),
  ],
};
