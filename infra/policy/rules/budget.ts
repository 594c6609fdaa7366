// Nobody looks at a bill before it is there: a budget mails.
import { azureType } from "../azure";
import { broken, type Finding, type ResourceRule, type StackRule, undecided } from "../rule";
import { at, isList, isObject, unknown, type Value } from "../values";

const budgets: ReadonlySet<string | undefined> = new Set(["consumption:Budget", "costmanagement:Budget"]);

export const budgetPresent: StackRule = {
  name: "budget-present",
  description: "A stack that costs money in Azure has a budget",
  checkStack(resources) {
    const inAzure = resources.map(({ type }) => azureType(type)).filter((type) => type !== undefined);
    if (inAzure.length === 0 || inAzure.some((type) => budgets.has(type))) return [];
    return [
      broken(
        "it makes resources in Azure and has no budget: set azure.budget.amount to what a month may cost",
      ),
    ];
  },
};

export const budgetAlerts: ResourceRule = {
  name: "budget-alerts",
  description: "A budget mails somebody before, or when, the money is used up",
  check({ type, values }) {
    if (!budgets.has(azureType(type))) return [];
    const { notifications } = values;
    if (notifications === unknown) return [undecided("notifications")];
    const alerts = isObject(notifications) ? Object.values(notifications) : [];
    if (alerts.some((alert) => tells(alert) === true)) return [];
    if (alerts.some((alert) => tells(alert) === unknown)) return [undecided("notifications")];
    return [silent];
  },
};

const silent: Finding = broken(
  "no enabled notification mails anybody at 100 % or less of it: set azure.owner and azure.budget.contacts, and see infra/azure/budget.ts",
);

function tells(alert: Value): boolean | typeof unknown {
  const parts = ["enabled", "threshold", "contactEmails", "contactGroups"].map((part) => at(alert, part));
  const [enabled, threshold, ...contacts] = parts;
  const someone = contacts.some((list) => isList(list) && list.length > 0);
  if (enabled === true && typeof threshold === "number" && threshold <= 100 && someone) return true;
  return parts.includes(unknown) ? unknown : false;
}
