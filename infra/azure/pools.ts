/** What is fixed of the cluster's two pools of nodes. */

export const systemPoolName = "system";
export const databasePoolName = "database";

/** A member of the database, and what Kubernetes runs on every node. Each possible pod costs memory that AKS keeps back. */
export const podsOfDatabaseNode = 30;

/** Nodes that an upgrade adds to each pool for a while. */
export const upgradeSurge = 1;
