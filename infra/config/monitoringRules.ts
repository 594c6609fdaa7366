/** What is refused of monitoring before anything changes: what would watch nothing, or leave somebody asleep. */
import type { StackConfig } from "../config";
import type { Problem } from "./errors";

export function monitoringProblems({ platform, environment, monitoring, azure }: StackConfig): Problem[] {
  if (monitoring === undefined) {
    return environment === "prod" && platform !== "none"
      ? [
          {
            key: "monitoring.place",
            found: "none",
            problem: "production is watched: nobody would be woken when data is at risk",
            example: "cluster",
          },
        ]
      : [];
  }
  if (monitoring.place === "azure" && platform !== "azure") {
    return [
      {
        key: "monitoring.place",
        found: "azure",
        problem: `platform "${platform}" makes nothing in Azure, so there is no managed Prometheus`,
        example: "cluster",
      },
    ];
  }
  if (monitoring.place === "azure" && azure?.existing.cluster !== undefined) {
    return [
      {
        key: "monitoring.place",
        found: "azure",
        problem:
          "the cluster is somebody else's (azure.existing.cluster): what tells Azure's agent whom to ask exists once a cluster, and theirs would be overwritten",
        example: "cluster",
      },
    ];
  }
  return [];
}
