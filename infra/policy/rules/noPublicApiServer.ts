import { azureType, isEverybody } from "../azure";
import { broken, demand, type ResourceRule, undecided } from "../rule";
import { at, isList, unknown } from "../values";

const profile = "apiServerAccessProfile";

export const noPublicApiServer: ResourceRule = {
  name: "no-public-api-server",
  description: "The Kubernetes API server has a private address, or answers to listed networks only",
  check({ type, values }) {
    if (azureType(type) !== "containerservice:ManagedCluster") return [];
    const isPrivate = at(values, profile, "enablePrivateCluster");
    if (isPrivate === true) return [];
    const ranges = at(values, profile, "authorizedIPRanges");
    if (isList(ranges) && ranges.length > 0) {
      return ranges.flatMap((range, index) =>
        demand(
          `${profile}.authorizedIPRanges[${index}]`,
          range,
          (value) => typeof value === "string" && !isEverybody(value),
          "lets everybody in; list your own networks in azure.kubernetes.authorisedRanges",
        ),
      );
    }
    if (isPrivate === unknown) return [undecided(`${profile}.enablePrivateCluster`)];
    if (ranges === unknown) return [undecided(`${profile}.authorizedIPRanges`)];
    return [
      broken(
        "its API server answers to the whole internet: set azure.kubernetes.privateApiServer to true, or list who may reach it in azure.kubernetes.authorisedRanges",
      ),
    ];
  },
};
