/** Storage classes of ours (storageClasses.ts). */
export const storageClassNames = { data: "ms5-data", wal: "ms5-wal" } as const;
