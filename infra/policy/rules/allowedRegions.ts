// Where data may be: what a machine tells of the people at it stays under the European Union's law.
import { findRegion, regionNames } from "../../azure/regions";
import { azureType } from "../azure";
import { demand, type ResourceRule } from "../rule";
import { isList } from "../values";

/** Geographies of Azure whose regions are all in member states; `Europe` has Ireland and the Netherlands. */
const europeanUnion: ReadonlySet<string | undefined> = new Set([
  "Austria",
  "Belgium",
  "Denmark",
  "Europe",
  "France",
  "Germany",
  "Italy",
  "Poland",
  "Spain",
  "Sweden",
]);

export const euRegions: readonly string[] = regionNames.filter((name) =>
  europeanUnion.has(findRegion(name)?.geography),
);

export const allowedRegions: ResourceRule = {
  name: "allowed-regions",
  description:
    "Everything in Azure is in a region where our data may be, by default one of the European Union",
  configSchema: { regions: { type: "array", items: { type: "string" }, default: [...euRegions] } },
  check({ type, values }, { config }) {
    if (azureType(type) === undefined) return [];
    const allowed = isList(config.regions) ? config.regions : euRegions;
    return demand(
      "location",
      values.location,
      // Without one a resource is where its resource group is.
      (location) =>
        location === undefined || (typeof location === "string" && isAllowed(normalised(location), allowed)),
      `set azure.region to one that is allowed, e.g. ${allowed.slice(0, 3).join(", ")} (docs/policies.md#regions)`,
    );
  },
};

/** DNS zones and their like are nowhere in particular. */
function isAllowed(location: string, allowed: readonly unknown[]): boolean {
  return location === "global" || allowed.includes(location);
}

/** Azure takes `West Europe` for `westeurope`. */
function normalised(location: string): string {
  return location.toLowerCase().replaceAll(" ", "");
}
