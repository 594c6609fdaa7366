// What a stack is expected to cost in a month, what the naive layout would, and how that is told.
import { type CostItem, type CostSettings, costItems } from "./costItems";
import { type NaiveLayout, naiveLayout } from "./costSavings";
import { currency, nodeFactor, priceDate, priceRegion } from "./prices";
import type { AzureSettings } from "./settings";

export interface Estimate {
  readonly items: readonly CostItem[];
  /** A month, of 730 hours. */
  readonly total: number;
  readonly currency: string;
  readonly priceDate: string;
  /** Of when and where the prices are, in words. */
  readonly pricedAs: string;
  readonly naive: NaiveLayout;
  /** Of what the naive layout costs; whole. */
  readonly savedPercent: number;
}

/** Of a month, in the subscription's currency; undefined: none. */
type Budget = Pick<NonNullable<AzureSettings["budget"]>, "amount"> | undefined;

/** Percent, of document 004. */
const aim = 20;

/** @throws UserError for a size or a key of `azure.prices` that is not in the tables */
export function estimate(azure: AzureSettings, cluster: CostSettings): Estimate {
  const items = costItems(azure, cluster);
  const total = items.reduce((sum, { monthly }) => sum + monthly, 0);
  const naive = naiveLayout(azure, cluster);
  const savedPercent = naive.total === 0 ? 0 : Math.round((100 * (naive.total - total)) / naive.total);
  return { items, total, currency, priceDate, pricedAs: pricedAs(azure), naive, savedPercent };
}

function pricedAs({ region, prices }: AzureSettings): string {
  const own = Object.keys(prices).length;
  const factor = nodeFactor(region);
  const nodes =
    region === priceRegion
      ? ""
      : factor === undefined
        ? `; what nodes cost in ${region} is not known`
        : `, nodes as in ${region} (× ${factor})`;
  return `list prices of ${priceDate} in ${priceRegion}${nodes}${own > 0 ? `, ${own} of your own` : ""}`;
}

/** `about 412 USD a month (budget 600: 69 %)` */
export function costSummary({ total, currency }: Estimate, budget: Budget): string {
  const about = `about ${whole(total)} ${currency} a month`;
  if (budget === undefined) return about;
  const percent = Math.round((100 * total) / budget.amount);
  return total > budget.amount
    ? `${about}: ${whole(total - budget.amount)} over the budget of ${whole(budget.amount)} (${percent} %)`
    : `${about} (budget ${whole(budget.amount)}: ${percent} %)`;
}

/** The estimate for a person, line by line; the names beside the amounts are the keys of `azure.prices`. */
export function renderCost(cost: Estimate, budget: Budget): string {
  const { items, total, naive, savedPercent } = cost;
  const width = Math.max(
    ...items.map(({ name }) => name.length),
    ...naive.savings.map(({ name }) => name.length),
  );
  const amounts = [total, naive.total].map((amount) => exact(amount).length);
  const row = (name: string, amount: number, more: string) =>
    `  ${name.padEnd(width)}  ${exact(amount).padStart(Math.max(...amounts))}  ${more}`.trimEnd();
  return [
    costSummary(cost, budget),
    ...items.map(({ name, monthly, priceKey }) => row(name, monthly, priceKey)),
    row("together", total, ""),
    naive.savings.length === 0
      ? "nothing is saved against the naive layout"
      : `${whole(naive.total - total)} less than the naive layout, ${savedPercent} %${savedPercent < aim ? ` (aimed at: ${aim})` : ""}`,
    ...naive.savings.map(({ name, monthly, why }) => row(name, monthly, why)),
    cost.pricedAs,
    "not in it: tax, traffic out of Azure, requests, nodes that the autoscaler adds, a second database while blue-green runs",
    "",
  ].join("\n");
}

function whole(amount: number): string {
  return amount.toLocaleString("en-GB", { maximumFractionDigits: 0 });
}

function exact(amount: number): string {
  return amount.toLocaleString("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}
