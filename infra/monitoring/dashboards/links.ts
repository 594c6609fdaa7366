// Where a panel and a dashboard lead to.
import { DashboardLinkBuilder, DashboardLinkType } from "@grafana/grafana-foundation-sdk/dashboard";
import type { DashboardSettings } from "./settings";

/** Each is a file, and has a uid that never changes: bookmarks and alerts lead there. */
export const titles = {
  overview: "MS5: is data safe, fresh, fast, affordable",
  replication: "MS5: replication and failover",
  timescaledb: "MS5: TimescaleDB policies and storage",
  pooler: "MS5: pooler",
  backups: "MS5: backups and drills",
  slo: "MS5: service levels and error budgets",
  cost: "MS5: cost",
} as const;

export type DashboardName = keyof typeof titles;

export const uidOf = (name: DashboardName): string => `ms5-${name}`;

/** Every dashboard has it, and the list of the others is made by it. */
export const tag = "ms5";

/** To another dashboard, at the same time. */
export function linkTo(name: DashboardName): DashboardLinkBuilder {
  return new DashboardLinkBuilder(titles[name])
    .type(DashboardLinkType.Link)
    .url(`/d/${uidOf(name)}`)
    .keepTime(true);
}

/**
 * None where nobody has said where `docs/` can be read.
 *
 * @param page in docs/, e.g. `runbooks/replica-lagging.md`
 */
export function linksToDocs(page: string, { documentation }: DashboardSettings): DashboardLinkBuilder[] {
  if (documentation === undefined) return [];
  return [
    new DashboardLinkBuilder(page.startsWith("runbooks/") ? "What to do" : "Read more")
      .type(DashboardLinkType.Link)
      .url(`${documentation}/${page}`)
      .targetBlank(true),
  ];
}

export function linkToOthers(): DashboardLinkBuilder {
  return new DashboardLinkBuilder("Dashboards")
    .type(DashboardLinkType.Dashboards)
    .tags([tag])
    .asDropdown(true)
    .keepTime(true);
}
