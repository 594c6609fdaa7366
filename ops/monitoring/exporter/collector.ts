import type { Sample } from "./metrics";

/** One question to the database and what its answer means. */
export interface Collector {
  /** Value of the label `collector`. */
  readonly name: string;
  /** It needs what only TimescaleDB Community has: on the Apache edition it is not asked at all. */
  readonly communityOnly: boolean;
  /** One statement that only reads, with numbers as float8 and times as seconds since 1970. */
  readonly sql: string;
  /** Pure. Rows come from `sql`. */
  samples(rows: readonly unknown[]): Sample[];
}

/** A collector whose mapping knows the type of its rows. */
export function collector<Row>(of: {
  name: string;
  communityOnly?: boolean;
  sql: string;
  samples: (rows: readonly Row[]) => Sample[];
}): Collector {
  return {
    name: of.name,
    communityOnly: of.communityOnly ?? false,
    sql: of.sql,
    samples: (rows) => of.samples(rows as readonly Row[]),
  };
}
