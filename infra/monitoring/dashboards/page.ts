// What a dashboard is made of, and how it becomes Grafana's.
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  type Panel as GrafanaPanel,
  QueryVariableBuilder,
  type RowPanel,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { layOut } from "./layout";
import { type DashboardName, linksToDocs, linkToOthers, tag, titles, uidOf } from "./links";
import { buildPanel, datasource, heightOf, type Panel } from "./panel";
import { type DashboardSettings, has, type Need } from "./settings";

export interface Page {
  readonly name: DashboardName;
  /** What questions it answers, for whom. */
  readonly about: string;
  /** Seconds between two looks. */
  readonly refresh: number;
  /** How far back it looks at first. */
  readonly range: "3h" | "6h" | "24h" | "7d" | "30d";
  /** Left out where a stack has not that. */
  readonly needs?: Need;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

/** One to choose from in front of the panels: every value of a label. */
export interface Variable {
  readonly name: string;
  /** Whose label of that name has the values. */
  readonly metric: string;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export function buildDashboard(page: Page, settings: DashboardSettings): Dashboard {
  const builder = new DashboardBuilder(titles[page.name])
    .uid(uidOf(page.name))
    .description(page.about)
    .tags([tag])
    .refresh(`${page.refresh}s`)
    .time({ from: `now-${page.range}`, to: "now" })
    .timezone("browser")
    .tooltip(DashboardCursorSync.Crosshair)
    // It comes from a file: what somebody changed by hand would be gone with the next one.
    .readonly()
    .links([linkToOthers(), ...linksToDocs("dashboards.md", settings)])
    .withVariable(new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"))
    .annotations(marks);
  for (const variable of page.variables) builder.withVariable(choose(variable));
  return { ...builder.build(), panels: panelsOf(page.rows, settings) };
}

/** Each row's bar, and its panels below it. */
function panelsOf(rows: readonly Row[], settings: DashboardSettings): (RowPanel | GrafanaPanel)[] {
  const built: (RowPanel | GrafanaPanel)[] = [];
  let y = 0;
  for (const { title, panels: all } of rows) {
    const panels = all.filter(({ needs }) => has(settings, needs));
    if (panels.length === 0) continue;
    const id = () => built.length + 1;
    built.push({
      type: "row",
      id: id(),
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: 24, h: 1 },
      panels: [],
    });
    const sizes = panels.map((panel) => ({ width: panel.width, height: heightOf(panel) }));
    const { places, bottom } = layOut(sizes, y + 1);
    places.forEach((place, index) => {
      const panel = panels[index];
      if (panel !== undefined) built.push(buildPanel(panel, id(), place, settings));
    });
    y = bottom;
  }
  return built;
}

/** All of them at first; `.*` rather than a list of all, which would leave out who comes later. */
function choose({ name, metric }: Variable): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .datasource(datasource)
    .query(`label_values(${metric}, ${name})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".*")
    .current({ selected: true, text: ["All"], value: ["$__all"] });
}

/** What happened when, on every course. */
const marks = [
  new AnnotationQueryBuilder()
    .name("Failovers")
    .datasource(datasource)
    .enable(true)
    .iconColor("purple")
    // A new primary begins a new timeline.
    .expr("max(ms5_member_timeline) > max(ms5_member_timeline offset 1m)")
    .step("30s")
    .titleFormat("Another member is the primary"),
  new AnnotationQueryBuilder()
    .name("Alerts that wake somebody")
    .datasource(datasource)
    .enable(true)
    .iconColor("red")
    .expr('max by (alertname) (ALERTS{alertstate="firing", severity="critical"})')
    .step("30s")
    .titleFormat("{{alertname}}"),
];
