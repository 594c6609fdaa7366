// The dashboards of a stack. Each page is a file of its own here, written as data; panel.ts and page.ts make Grafana's of it.
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { backups } from "./backups";
import { cost } from "./cost";
import { overview } from "./overview";
import { buildDashboard, type Page } from "./page";
import { pooler } from "./pooler";
import { replication } from "./replication";
import { type DashboardSettings, has } from "./settings";
import { slo } from "./slo";
import { timescaledb } from "./timescaledb";

/** In the order in which somebody who looks for a fault reads them. */
export function pages(settings: DashboardSettings): Page[] {
  return [
    overview(settings),
    replication(),
    timescaledb(),
    pooler(),
    backups(),
    slo(settings),
    cost(),
  ].filter(({ needs }) => has(settings, needs));
}

/** Without what the stack does not have: no panel is empty by design. */
export function dashboards(settings: DashboardSettings): Dashboard[] {
  return pages(settings).map((page) => buildDashboard(page, settings));
}
