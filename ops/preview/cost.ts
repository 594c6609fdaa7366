// What a change costs a month: the stack's output `monthlyCost` as it was and as it would be.

export interface MonthlyCost {
  readonly total: number;
  /** ISO 4217: `EUR`. */
  readonly currency: string;
  readonly items: readonly { readonly name: string; readonly monthly: number }[];
}

export interface CostChange {
  readonly currency: string;
  /** undefined: not known. */
  readonly before: number | undefined;
  readonly after: number;
  /** Items that cost something else, dearest difference first. */
  readonly items: readonly { readonly name: string; readonly before: number; readonly after: number }[];
}

type Outputs = Readonly<Record<string, unknown>> | undefined;

/** undefined where nothing is said of costs, or nothing changes. */
export function costChange(before: Outputs, after: Outputs): CostChange | undefined {
  const now = monthlyCost(after?.monthlyCost);
  const old = monthlyCost(before?.monthlyCost);
  if (now === undefined) return undefined;
  // Other money can't be subtracted.
  const comparable = old?.currency === now.currency ? old : undefined;
  const names = new Set([...(comparable?.items ?? []), ...now.items].map(({ name }) => name));
  const items = [...names]
    .map((name) => ({ name, before: monthly(comparable, name), after: monthly(now, name) }))
    .filter((item) => item.before !== item.after)
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before));
  if (comparable !== undefined && comparable.total === now.total && items.length === 0) return undefined;
  return { currency: now.currency, before: comparable?.total, after: now.total, items };
}

function monthly(cost: MonthlyCost | undefined, name: string): number {
  return (cost?.items ?? [])
    .filter((item) => item.name === name)
    .reduce((sum, item) => sum + item.monthly, 0);
}

/** An output of an earlier version of the program may be anything. */
function monthlyCost(value: unknown): MonthlyCost | undefined {
  const cost = value as Partial<MonthlyCost> | null | undefined;
  const isCost =
    typeof cost?.total === "number" &&
    typeof cost.currency === "string" &&
    Array.isArray(cost.items) &&
    cost.items.every((item) => typeof item?.name === "string" && typeof item.monthly === "number");
  return isCost ? (cost as MonthlyCost) : undefined;
}

/** `1,310.00` */
export function money(amount: number): string {
  return amount.toLocaleString("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** `+105.50` */
export function difference(before: number, after: number): string {
  const amount = after - before;
  return `${amount < 0 ? "−" : "+"}${money(Math.abs(amount))}`;
}
