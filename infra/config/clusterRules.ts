/** What is refused of a database in pods before anything changes: what could not start, or would stop working. */
import type { StackConfig } from "../config";
import { sizeProblems } from "../database/memory";
import { podSize, postgresParameters } from "../database/parameters";
import { poolProblems } from "../database/poolSizes";
import { settingProblems } from "../database/postgresSettings";
import type { Problem } from "./errors";

/** Connections that are not the pooler's: superusers', Patroni's, the agent's, monitoring's, the program's own. */
const reservedConnections = 20;

export function clusterProblems({ platform, cluster, database }: StackConfig): Problem[] {
  if (cluster === undefined) return [];
  return [
    ...settingProblems(cluster.parameters).map(({ name, problem, example }) => ({
      key: `cluster.parameters.${name}`,
      found: cluster.parameters[name],
      problem,
      example,
    })),
    ...sizeProblems(podSize(cluster), postgresParameters(cluster)).map(({ problem, fix }) => ({
      key: "cluster.memory",
      found: cluster.memory,
      problem: `${problem}: ${fix}`,
    })),
    ...poolProblems(cluster.pooler, {
      maxConnections: cluster.maxConnections,
      reserved: reservedConnections,
    }).map(({ problem, fix }) => ({
      key: "pooler.serverConnections",
      found: cluster.pooler.serverConnections,
      problem: `${problem}: ${fix}`,
    })),
    ...placeProblems(platform, database.target?.host),
  ];
}

function placeProblems(platform: StackConfig["platform"], host: string | undefined): Problem[] {
  if (host === undefined || host === "localhost") return [];
  return [
    {
      key: "database.host",
      found: host,
      problem: `platform "${platform}" makes a database of its own; for one that is there already set platform to none`,
    },
  ];
}
