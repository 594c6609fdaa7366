import { connectionAlerts } from "../../../../infra/monitoring/alerts/connections";
import { always, type Course, during, type GroupCases, type Telling } from "../ruleTrials";

const pooler = 'pod="pooler-1",instance="10.0.0.9:9127",job="pooler"';
const pool = `database="ms5",user="ms5_writer",${pooler}`;
const ofPool = { pod: "pooler-1", database: "ms5", user: "ms5_writer" };

const used = (course: Course): Telling => ({ 'timescaledb_connections{state="active"}': course });
const waiting = (clients: Course, seconds: Course): Telling => ({
  [`pgbouncer_pools_client_waiting_connections{${pool}}`]: clients,
  [`pgbouncer_pools_client_maxwait_seconds{${pool}}`]: seconds,
});
const clients = (course: Course): Telling => ({ [`pgbouncer_used_clients{${pooler}}`]: course });
const up = (course: Course): Telling => ({ [`pgbouncer_up{${pooler}}`]: course });

export const connectionCases: GroupCases = {
  groups: [connectionAlerts],
  step: 30,
  well: {
    ...used(always(40)),
    'timescaledb_connections{state="idle"}': always(40),
    timescaledb_connections_limit: always(190),
    ...waiting(always(0), always(0)),
    // The console's own pool is nobody's trouble.
    [`pgbouncer_pools_client_maxwait_seconds{database="pgbouncer",user="pooler_admin",${pooler}}`]:
      always(60),
    ...clients(always(300)),
    [`pgbouncer_config_max_client_connections{${pooler}}`]: always(1000),
    ...up(always(1)),
  },
  cases: {
    "ConnectionsSaturated critical": {
      telling: used(during(60, 68, 145, 40)),
      fires: 65,
      over: 68.5,
      says: ["97.37%"],
      silent: { "a burst of logins": { telling: used(during(60, 64.5, 150, 40)), minutes: 120 } },
    },
    "ConnectionsSaturated warning": {
      telling: used(during(60, 80, 120, 40)),
      fires: 70,
      over: 80.5,
      says: ["84.21%"],
      silent: { "all that the pooler may hold": { telling: used(always(110)), minutes: 120 } },
    },
    "PoolerClientsWait critical": {
      telling: waiting(during(60, 65, 30, 0), during(60, 65, 20, 0)),
      fires: 61,
      over: 65.5,
      labels: ofPool,
      says: ["20s", "ms5_writer", "ms5"],
      silent: {
        "a failover of twelve seconds": {
          telling: waiting(during(60, 60.5, 200, 0), during(60, 60.5, 12, 0)),
          minutes: 120,
        },
      },
    },
    "PoolerClientsWait warning": {
      telling: waiting(during(60, 80, 8, 0), during(60, 80, 2, 0)),
      fires: 70,
      over: 80.5,
      labels: ofPool,
      says: ["8", "ms5_writer", "ms5"],
      silent: {
        "the reports of a full hour": {
          telling: waiting(during(60, 69.5, 8, 0), during(60, 69.5, 4, 0)),
          minutes: 120,
        },
        "clients that wait for their turn, a moment each": {
          telling: waiting(always(3), always(0)),
          minutes: 120,
        },
      },
    },
    "PoolerClientsNearLimit warning": {
      telling: clients(during(60, 80, 750, 300)),
      fires: 70,
      over: 80.5,
      labels: { pod: "pooler-1" },
      says: ["pooler-1", "75%"],
      silent: { "two thirds": { telling: clients(always(670)), minutes: 120 } },
    },
    "PoolerDown warning": {
      telling: up(during(60, 70, 0, 1)),
      fires: 65,
      over: 70.5,
      labels: { pod: "pooler-1", instance: "10.0.0.9:9127", job: "pooler" },
      says: ["pooler-1"],
      silent: {
        "one that restarts": { telling: up(during(60, 61, 0, 1)), minutes: 120 },
        "one that is gone for good": { telling: up((minute) => (minute < 60 ? 1 : undefined)), minutes: 120 },
      },
    },
  },
};
