import type { DashboardSettings } from "../../../infra/monitoring/dashboards/settings";

/** Of a stack that has everything there is to see. */
export const everything: DashboardSettings = {
  members: 3,
  edition: "community",
  backups: true,
  freshness: { metric_hist: 300 },
  schedules: { columnstore: 43_200, retention: 86_400 },
  cost: { estimate: 900, budget: 1_200 },
  stopsAtNight: false,
  ownPrometheus: true,
  documentation: "https://docs.example/ms5/docs",
};

/** Of the least there is: one member of the Apache edition, without backups, costs and a Prometheus of its own. */
export const least: DashboardSettings = {
  ...everything,
  members: 1,
  edition: "apache",
  backups: false,
  cost: undefined,
  ownPrometheus: false,
  documentation: undefined,
};
