import { type Client, escapeIdentifier, escapeLiteral, quoteName } from "../postgres";
import type { Common, Handler } from "./handler";
import { intervalSeconds } from "./interval";

/** A table partitioned by time. */
export interface HypertableInputs extends Common {
  /** Schema-qualified, e.g. `factory_telemetry.metric_hist`. */
  table: string;
  timeColumn: string;
  /** Applies to chunks made from now on. */
  chunkInterval: string;
  /** How chunks become columns; null where they never do. */
  columnstore: ColumnstoreSettings | null;
}

export interface ColumnstoreSettings {
  segmentBy: string[];
  orderBy: string;
}

export const hypertable: Handler<HypertableInputs> = {
  replaceOn: ["table", "timeColumn"],
  deleteBeforeReplace: true,
  id: ({ table }) => table,

  async apply({ client }, inputs) {
    // create_default_indexes: the migrations say which indexes there are. migrate_data: a table that already holds
    // rows is turned over as it is.
    await client.query(
      `SELECT create_hypertable($1::regclass, by_range($2, $3::interval),
                                create_default_indexes => false, migrate_data => true, if_not_exists => true)`,
      [inputs.table, inputs.timeColumn, inputs.chunkInterval],
    );
    await client.query("SELECT set_chunk_time_interval($1::regclass, $2::interval)", [
      inputs.table,
      inputs.chunkInterval,
    ]);
    await applyColumnstore(client, inputs);
  },

  async live({ client }, inputs) {
    const [schema, name] = inputs.table.split(".");
    const { rows } = await client.query<{ time_column: string; seconds: number }>(
      `SELECT column_name AS time_column, extract(epoch FROM time_interval)::float8 AS seconds
         FROM timescaledb_information.dimensions
        WHERE hypertable_schema = $1 AND hypertable_name = $2 AND dimension_number = 1`,
      [schema, name],
    );
    const dimension = rows[0];
    if (dimension === undefined) return undefined;
    return {
      ...inputs,
      timeColumn: dimension.time_column,
      chunkInterval: intervalSeconds(dimension.seconds),
      columnstore: await liveColumnstore(client, inputs.table),
    };
  },

  /** A hypertable cannot become a plain table again, and its rows stay: the migrations own the table. */
  async remove() {},
};

async function applyColumnstore(client: Client, inputs: HypertableInputs): Promise<void> {
  const live = await liveColumnstore(client, inputs.table);
  if (inputs.columnstore === null) {
    if (live !== null) await disableColumnstore(client, inputs.table);
    return;
  }
  if (JSON.stringify(live) === JSON.stringify(inputs.columnstore)) return;
  const { segmentBy, orderBy } = inputs.columnstore;
  // Chunks that are columns already keep the settings they were written with.
  await client.query(
    `ALTER TABLE ${quoteName(inputs.table)} SET (
       timescaledb.enable_columnstore = true,
       timescaledb.segmentby = ${escapeLiteral(segmentBy.map(escapeIdentifier).join(", "))},
       timescaledb.orderby = ${escapeLiteral(orderBy)})`,
  );
}

async function disableColumnstore(client: Client, table: string): Promise<void> {
  const [schema, name] = table.split(".");
  const { rows } = await client.query<{ chunks: string }>(
    `SELECT count(*) AS chunks FROM timescaledb_information.chunks
      WHERE hypertable_schema = $1 AND hypertable_name = $2 AND is_compressed`,
    [schema, name],
  );
  if (Number(rows[0]?.chunks) > 0) {
    throw new Error(
      `the columnstore of ${table} cannot be turned off: ${rows[0]?.chunks} chunks are columns. ` +
        `Turn them back first: SELECT format('CALL convert_to_rowstore(%L);', format('%I.%I', chunk_schema, chunk_name)) ` +
        `FROM timescaledb_information.chunks WHERE hypertable_name = ${escapeLiteral(name ?? "")} AND is_compressed \\gexec`,
    );
  }
  await client.query(`ALTER TABLE ${quoteName(table)} SET (timescaledb.enable_columnstore = false)`);
}

async function liveColumnstore(client: Client, table: string): Promise<ColumnstoreSettings | null> {
  const { rows: views } = await client.query<{ present: boolean }>(
    "SELECT to_regclass('timescaledb_information.hypertable_columnstore_settings') IS NOT NULL AS present",
  );
  if (views[0]?.present !== true) return null;
  const { rows } = await client.query<{ segmentby: string | null; orderby: string | null }>(
    `SELECT segmentby, orderby FROM timescaledb_information.hypertable_columnstore_settings
      WHERE hypertable = $1::regclass AND (segmentby IS NOT NULL OR orderby IS NOT NULL)`,
    [table],
  );
  const row = rows[0];
  if (row === undefined) return null;
  return {
    segmentBy: (row.segmentby ?? "").split(",").filter((column) => column !== ""),
    // The view separates columns by a bare comma.
    orderBy: (row.orderby ?? "").split(",").join(", "),
  };
}
