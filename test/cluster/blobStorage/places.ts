/** Ports in the network of the machine that has the storage. */
export const storagePorts = { door: 10_443, control: 10_444, azurite: 10_000 } as const;
export const storageAccount = "factory";
export const storageContainer = "pgbackrest";
