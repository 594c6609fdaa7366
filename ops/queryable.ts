import type { QueryResultRow } from "pg";

/** What most readers need of a connection: a client of pg, one of a pool, or what stands for one in a test. */
export interface Queryable {
  query<Row extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<{ rows: Row[] }>;
}
