import type { QueryResultRow } from "pg";
import type { Queryable } from "../../../ops/queryable";

/** A client whose cursor gives as many rows as one likes, without a database; and what was asked of it. */
export function fakeSeries(rows: number): { client: Queryable; asked: string[] } {
  const asked: string[] = [];
  let given = 0;
  function answer(text: string): QueryResultRow[] {
    asked.push(text.split(" ")[0] ?? "");
    if (text.includes("pg_attribute"))
      return [
        { name: "ts", type: "timestamp with time zone", nullable: false },
        { name: "value", type: "real", nullable: false },
      ];
    const size = Number(/^FETCH (\d+)/.exec(text)?.[1] ?? 0);
    const batch = Array.from({ length: Math.min(size, rows - given) }, (_, index) => ({
      ts: String(1_700_000_000_000_000n + BigInt(given + index) * 1_000_001n),
      value: String((((given + index) * 7_919) % 10_007) / 64),
    }));
    given += batch.length;
    return batch;
  }
  return {
    client: { query: async <Row extends QueryResultRow>(text: string) => ({ rows: answer(text) as Row[] }) },
    asked,
  };
}
