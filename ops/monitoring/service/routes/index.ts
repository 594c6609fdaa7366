// Every endpoint of the API, by group. A new group is added here.
import type { RouteGroup } from "../context";
import { advice } from "./advice";
import { anomalies } from "./anomalies";
import { chunks } from "./chunks";
import { compression } from "./compression";
import { configuration } from "./configuration";
import { databaseHealth } from "./databaseHealth";
import { exported } from "./export";
import { health } from "./health";
import { hypertables } from "./hypertables";
import { jobs } from "./jobs";
import { machines } from "./machines";
import { oee } from "./oee";
import { openapi } from "./openapi";
import { simulation } from "./simulation";
import { status } from "./status";
import { telemetry } from "./telemetry";
import { timescaleHealth } from "./timescaleHealth";

export const routeGroups: readonly RouteGroup[] = [
  health,
  databaseHealth,
  timescaleHealth,
  status,
  hypertables,
  compression,
  chunks,
  configuration,
  jobs,
  machines,
  telemetry,
  oee,
  anomalies,
  exported,
  advice,
  simulation,
  openapi,
];
