import type { Collector } from "../collector";
import { ages, logins } from "./ages";
import { aggregates } from "./aggregates";
import { chunks } from "./chunks";
import { columnstoreBytes, columnstorePolicies } from "./columnstore";
import { freshness } from "./freshness";
import { jobs } from "./jobs";
import { retention } from "./retention";
import { sessions } from "./sessions";
import { databaseSize, rowCounts, sizes } from "./sizes";
import { databaseStatistics, inputOutput, writeAheadLog } from "./statistics";

/** What is told at `/metrics/<name>`. Three, because what changes slowly need not be asked often. */
export const endpoints = {
  performance: [sessions, ages, databaseStatistics, inputOutput, writeAheadLog, logins],
  hypertables: [sizes, rowCounts, chunks, freshness, retention, jobs, aggregates, databaseSize],
  compression: [columnstoreBytes, columnstorePolicies],
} as const satisfies Record<string, readonly Collector[]>;

export type EndpointName = keyof typeof endpoints;
export const endpointNames = Object.keys(endpoints) as EndpointName[];
