// What the parts of a comment have in common: how much of anything is shown, and how it is named.
import type { ResourceModel } from "../engine/events";
import { atMost, code } from "./markdown";

/** Entries of a list; the full diff has them all. */
export const longestList = 20;
/** Characters of a name or a property's path. */
export const longestName = 100;
/** Characters of one value. */
const longestValue = 120;

export function byType(resources: readonly ResourceModel[]): ReadonlyMap<string, ResourceModel[]> {
  const types = new Map<string, ResourceModel[]>();
  for (const resource of resources) types.set(resource.type, [...(types.get(resource.type) ?? []), resource]);
  return types;
}

export function named(resources: readonly ResourceModel[]): string {
  return atMost(6, resources, ({ name }) => code(cut(name, longestName))).join(", ");
}

/** `1 change`, `2 changes`. */
export function things(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** After a table that ends at {@link longestList}: how many more there are. */
export function rest(items: readonly unknown[]): string {
  return items.length > longestList ? `\n\n… and ${items.length - longestList} more` : "";
}

export function value(of: unknown): string {
  return cut(typeof of === "string" ? of : (JSON.stringify(of) ?? "none"), longestValue);
}

export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
