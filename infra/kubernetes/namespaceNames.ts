/** Our namespaces. Fixed names: flows, host names in certificates and people's commands refer to them. */
export const namespaceNames = { database: "ms5-database", pooler: "ms5-pooler" } as const;

/** A namespace of ours by what is in it. */
export type NamespaceKey = keyof typeof namespaceNames;
