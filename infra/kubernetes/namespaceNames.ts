/** Our namespaces. Fixed names: flows, host names in certificates and people's commands refer to them. */
export const namespaceNames = {
  database: "ms5-database",
  pooler: "ms5-pooler",
  monitoring: "ms5-monitoring",
  nodes: "ms5-nodes",
} as const;

/** A namespace of ours by what is in it. */
export type NamespaceKey = keyof typeof namespaceNames;

/** Those that are there only where something watches. */
export const watchingNamespaces: readonly NamespaceKey[] = ["monitoring", "nodes"];
