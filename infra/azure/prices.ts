// Unit prices: the table's list prices, and a stack's own over them (`azure.prices`).
import { UserError } from "../errors";
import table from "./data/prices.json";
import { nearest } from "./nearest";
import type { AzureSettings } from "./settings";

/** What one unit costs for one period. */
export interface Price {
  readonly price: number;
  /** `node`, `GB` */
  readonly unit: string;
  /** "use": for each unit that comes by, however long it stays. */
  readonly per: "hour" | "day" | "month" | "use";
}

/** A key of `azure.prices` that no price has. */
export interface UnknownPrice {
  readonly key: string;
  /** Keys that look like it. */
  readonly near: readonly string[];
}

/** As Azure's own calculator has it. */
export const hoursPerMonth = 730;

/** Periods in a month. */
export const periods: Readonly<Record<Price["per"], number>> = {
  hour: hoursPerMonth,
  day: hoursPerMonth / 24,
  month: 1,
  use: 1,
};

/** Of when, where and in what currency the prices are. */
export const { date: priceDate, region: priceRegion, currency } = table;

const prices = new Map(Object.entries(table.prices as Readonly<Record<string, Price>>));
const nodeFactors = new Map(Object.entries(table.nodeFactors));

export const priceKeys: readonly string[] = [...prices.keys()];

/** Config keys that would change nothing. */
export function unknownPrices(own: AzureSettings["prices"]): UnknownPrice[] {
  return Object.keys(own)
    .filter((key) => !prices.has(key))
    .map((key) => ({ key, near: nearest(key, prices.keys(), 5) }));
}

/**
 * Prices for a stack: its own where it has some, else list prices of {@link priceRegion}, with nodes as they are in the
 * stack's region.
 *
 * @throws UserError when it has a price for what has no such key
 */
export function pricesOf({ region, prices: own }: Pick<AzureSettings, "region" | "prices">) {
  const [unknown] = unknownPrices(own);
  if (unknown !== undefined) {
    throw new UserError(`azure.prices.${unknown.key}: there is no such price`, {
      fix: `keys that look like it: ${unknown.near.join(", ")}; all are in infra/azure/data/prices.json`,
    });
  }
  return (key: string): Price => {
    const listed = prices.get(key);
    if (listed === undefined) {
      throw new UserError(`infra/azure/data/prices.json has no price ${key}`, {
        fix: `add it there; \`${table.check}\` shows prices`,
      });
    }
    const factor = key.startsWith("vm.") ? (nodeFactor(region) ?? 1) : 1;
    return { ...listed, price: own[key] ?? listed.price * factor };
  };
}

/** What nodes cost in a region against {@link priceRegion}; undefined: nobody knows, and they are priced as there. */
export function nodeFactor(region: string): number | undefined {
  return nodeFactors.get(region);
}
