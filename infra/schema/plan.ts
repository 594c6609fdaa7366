import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StackConfig } from "../config";
import { type AggregateName, aggregateNames, qualified, type TableName, tableNames } from "./catalogue";
import type { ContinuousAggregateInputs } from "./handlers/continuousAggregate";
import type { HypertableInputs } from "./handlers/hypertable";
import type {
  ColumnstorePolicyInputs,
  RefreshPolicyInputs,
  ReorderPolicyInputs,
  RetentionPolicyInputs,
} from "./handlers/policies";

/** What a program states of a resource: everything but the bookkeeping. */
export type Stated<Inputs> = Omit<Inputs, "engineVersion">;

/** A hypertable and its policies; undefined where the config or the edition has none. */
export interface TablePlan {
  readonly hypertable: Stated<HypertableInputs>;
  readonly columnstorePolicy: Stated<ColumnstorePolicyInputs> | undefined;
  readonly retentionPolicy: Stated<RetentionPolicyInputs> | undefined;
  readonly reorderPolicy: Stated<ReorderPolicyInputs> | undefined;
}

/** A continuous aggregate and its policies. */
export interface AggregatePlan {
  readonly view: Stated<ContinuousAggregateInputs>;
  readonly refreshPolicy: Stated<RefreshPolicyInputs>;
  readonly columnstorePolicy: Stated<ColumnstorePolicyInputs> | undefined;
  readonly retentionPolicy: Stated<RetentionPolicyInputs> | undefined;
}

/** What the config comes to in the database, by name: what the stack makes and what `validate` expects. */
export interface SchemaPlan {
  readonly tables: ReadonlyMap<TableName, TablePlan>;
  /** In the order they build on each other; empty with the Apache edition, which has none. */
  readonly aggregates: ReadonlyMap<AggregateName, AggregatePlan>;
}

export function planSchema(config: StackConfig): SchemaPlan {
  const community = config.database.edition === "community";
  return {
    tables: new Map(tableNames.map((name) => [name, planTable(name, config, community)])),
    aggregates: new Map((community ? aggregateNames : []).map((name) => [name, planAggregate(name, config)])),
  };
}

function planTable(name: TableName, config: StackConfig, community: boolean): TablePlan {
  const settings = config.tables[name];
  const relation = qualified(name);
  const columnstore = community && settings.columnstore;
  return {
    hypertable: {
      table: relation,
      timeColumn: "ts",
      chunkInterval: settings.chunkInterval.text,
      columnstore: columnstore ? { segmentBy: [...settings.segmentBy], orderBy: settings.orderBy } : null,
    },
    columnstorePolicy: columnstore
      ? { relation, after: settings.columnstoreAfter.text, schedule: settings.columnstoreSchedule.text }
      : undefined,
    retentionPolicy:
      community && settings.retention !== undefined
        ? { relation, dropAfter: settings.retention.text, schedule: settings.retentionSchedule.text }
        : undefined,
    reorderPolicy:
      community && settings.reorderIndex !== undefined
        ? { relation, index: settings.reorderIndex }
        : undefined,
  };
}

/** Aggregates are small; how often the jobs that tidy them look is not worth a setting. */
const aggregateSchedule = { columnstore: "12 hours", retention: "1 day" };

function planAggregate(name: AggregateName, config: StackConfig): AggregatePlan {
  const settings = config.aggregates[name];
  const relation = qualified(name);
  return {
    view: {
      name: relation,
      query: readAggregate(name),
      realtime: settings.realtime,
      columnstore: settings.columnstoreAfter !== undefined,
    },
    refreshPolicy: {
      relation,
      startOffset: settings.startOffset.text,
      endOffset: settings.endOffset.text,
      schedule: settings.schedule.text,
    },
    columnstorePolicy:
      settings.columnstoreAfter === undefined
        ? undefined
        : { relation, after: settings.columnstoreAfter.text, schedule: aggregateSchedule.columnstore },
    retentionPolicy:
      settings.retention === undefined
        ? undefined
        : { relation, dropAfter: settings.retention.text, schedule: aggregateSchedule.retention },
  };
}

const aggregatesFolder = join(__dirname, "..", "..", "sql", "aggregates");

/** The SELECT of an aggregate, without the comments above it: editing a comment must not replace the aggregate. */
export function readAggregate(name: AggregateName): string {
  return readFileSync(join(aggregatesFolder, `${name}.sql`), "utf8")
    .split(/\r?\n/)
    .filter((line) => !line.trimStart().startsWith("--"))
    .join("\n")
    .trim();
}
