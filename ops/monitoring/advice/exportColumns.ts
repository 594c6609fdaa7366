/** What an export has of a series: its table's columns without those that say which series it is. */
import { telemetrySchema } from "../../../infra/schema/catalogue";
import { escapeIdentifier } from "../../../infra/schema/postgres";
import type { Queryable } from "../../queryable";

/** How values of a column travel from the server to a file. */
export type ExportType = "timestamp" | "float" | "double" | "integer" | "bigint" | "boolean" | "text";

export interface ExportColumn {
  readonly name: string;
  readonly type: ExportType;
  readonly nullable: boolean;
}

/** As PostgreSQL names types; whatever else there may be one day goes out as text. */
const types: Readonly<Record<string, ExportType>> = {
  "timestamp with time zone": "timestamp",
  real: "float",
  "double precision": "double",
  smallint: "integer",
  integer: "integer",
  bigint: "bigint",
  boolean: "boolean",
};

export async function readExportColumns(client: Queryable): Promise<ExportColumn[]> {
  const { rows } = await client.query<{ name: string; type: string; nullable: boolean }>(
    `SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, NOT a.attnotnull AS nullable
       FROM pg_attribute a
      WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attname NOT IN ('machine_id', 'metric_id')
      ORDER BY a.attnum`,
    [`${telemetrySchema}.metric_hist`],
  );
  return rows.map(({ name, type, nullable }) => ({ name, type: types[type] ?? "text", nullable }));
}

/**
 * What a SELECT gives of a column. Times are microseconds since 1970 as text, exact where JavaScript's own dates are not;
 * a real is text too, in the fewest digits that give it back.
 */
export function selected({ name, type }: ExportColumn): string {
  const column = escapeIdentifier(name);
  if (type === "timestamp") return `(extract(epoch FROM ${column}) * 1000000)::bigint::text AS ${column}`;
  return `${column}::text AS ${column}`;
}
