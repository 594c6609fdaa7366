/** Combinations of settings that are refused, each with what it would do to the data. */
import { isIPv4 } from "node:net";
import type { StackConfig } from "../config";
import {
  type AggregateName,
  aggregateNames,
  aggregates,
  type TableName,
  tableNames,
} from "../schema/catalogue";
import { type Interval, interval } from "../units";
import { azureProblems } from "./azureRules";
import { backupProblems } from "./backupRules";
import { clusterProblems } from "./clusterRules";
import type { Problem } from "./errors";
import { knownInterval } from "./knownInterval";
import { monitoringProblems } from "./monitoringRules";

/** What no single key shows: combinations that would lose history or never do what they say. */
export function checkConfig(config: StackConfig): Problem[] {
  return [
    ...tableNames.flatMap((name) => tableProblems(name, config)),
    ...aggregateNames.flatMap((name) => aggregateProblems(name, config)),
    ...databaseProblems(config),
    ...clusterProblems(config),
    ...backupProblems(config),
    ...monitoringProblems(config),
    ...azureProblems(config),
  ];
}

function tableProblems(name: TableName, config: StackConfig): Problem[] {
  const { chunkInterval, columnstore, columnstoreAfter, retention } = config.tables[name];
  if (retention === undefined) return [];
  const problems: Problem[] = [];
  if (columnstore && retention.seconds <= columnstoreAfter.seconds) {
    problems.push({
      key: `timescaledb.tables.${name}.retention`,
      found: retention.text,
      problem: `must be longer than columnstoreAfter (${columnstoreAfter.text}): chunks would be deleted before they are ever turned into columns`,
      example: interval(3 * columnstoreAfter.seconds).text,
    });
  }
  if (retention.seconds < chunkInterval.seconds) {
    problems.push({
      key: `timescaledb.tables.${name}.chunkInterval`,
      found: chunkInterval.text,
      problem: `must not be longer than retention (${retention.text}): retention deletes whole chunks, so rows would stay up to ${chunkInterval.text} longer`,
      example: retention.text,
    });
  }
  return problems;
}

function aggregateProblems(name: AggregateName, config: StackConfig): Problem[] {
  const problems: Problem[] = [];
  const refuse = (setting: string, found: Interval, problem: string, example: string) => {
    problems.push({ key: `timescaledb.aggregates.${name}.${setting}`, found: found.text, problem, example });
  };
  const { source } = aggregates[name];
  const bucket = knownInterval(aggregates[name].bucket);
  const { startOffset, endOffset, schedule, columnstoreAfter, retention } = config.aggregates[name];
  const window = startOffset.seconds - endOffset.seconds;

  const { retention: sourceRetention } = { ...config.tables, ...config.aggregates }[source];
  if (sourceRetention !== undefined && startOffset.seconds > sourceRetention.seconds) {
    refuse(
      "startOffset",
      startOffset,
      `must not be longer than the retention of ${source} (${sourceRetention.text}): a refresh over rows that retention has deleted would erase the aggregate's history of them`,
      sourceRetention.text,
    );
  }
  if (!isTable(source)) {
    const below = config.aggregates[source].startOffset;
    const reach = below.seconds + schedule.seconds + bucket.seconds;
    if (startOffset.seconds < reach) {
      refuse(
        "startOffset",
        startOffset,
        `must be longer than the startOffset of ${source} (${below.text}) by a schedule (${schedule.text}) and a bucket (${bucket.text}): what is corrected there would never be corrected here`,
        wholeDays(reach).text,
      );
    }
  }
  if (endOffset.seconds < bucket.seconds) {
    refuse(
      "endOffset",
      endOffset,
      `must be at least one bucket (${bucket.text}): a bucket that is not over must not be materialised`,
      bucket.text,
    );
  }
  if (window < 2 * bucket.seconds) {
    refuse(
      "startOffset",
      startOffset,
      `must be at least two buckets (of ${bucket.text}) longer than endOffset (${endOffset.text})`,
      interval(endOffset.seconds + 2 * bucket.seconds).text,
    );
  } else if (schedule.seconds > window - bucket.seconds) {
    refuse(
      "schedule",
      schedule,
      `must be at least one bucket (${bucket.text}) shorter than the window from startOffset (${startOffset.text}) to endOffset (${endOffset.text}): what lies between two windows would never be aggregated`,
      bucket.text,
    );
  }
  if (columnstoreAfter !== undefined && columnstoreAfter.seconds < startOffset.seconds) {
    refuse(
      "columnstoreAfter",
      columnstoreAfter,
      `must not be shorter than startOffset (${startOffset.text}): refreshes would keep writing to columns`,
      startOffset.text,
    );
  }
  if (retention !== undefined && retention.seconds <= startOffset.seconds) {
    refuse(
      "retention",
      retention,
      `must be longer than startOffset (${startOffset.text}): each refresh would bring back what retention deletes`,
      "keep",
    );
  }
  return problems;
}

function databaseProblems({ database: { kind, target } }: StackConfig): Problem[] {
  if (target === undefined || isLoopback(target.host)) return [];
  const problems: Problem[] = [];
  if (target.tls !== "verify-full") {
    problems.push({
      key: "database.tls",
      found: target.tls,
      problem: `must be verify-full for ${target.host}: without it anyone on the way can read or be the database`,
      example: "verify-full",
    });
  }
  if (kind === "embedded") {
    problems.push({
      key: "database.host",
      found: target.host,
      problem: "the embedded database listens on loopback only",
      example: "127.0.0.1",
    });
  }
  return problems;
}

function wholeDays(seconds: number): Interval {
  return interval(Math.ceil(seconds / 86_400) * 86_400);
}

function isTable(name: string): name is TableName {
  return tableNames.some((table) => table === name);
}

/** An address, not a name that looks like one: 127.example.com is somebody's server. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
