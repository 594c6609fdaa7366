// What a panel says, and how it becomes Grafana's. Four kinds are enough: numbers of now, courses, states over time, tables.
import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  FieldColorBuilder,
  FieldColorModeId,
  type Panel as GrafanaPanel,
  type GridPos,
  MappingType,
  type ValueMap,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as StatesBuilder } from "@grafana/grafana-foundation-sdk/statetimeline";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as LinesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import { type DashboardName, linksToDocs, linkTo } from "./links";
import { scrapeSeconds } from "./promql";
import type { DashboardSettings, Need } from "./settings";
import { type Steps, thresholds } from "./thresholds";

export interface Query {
  readonly expr: string;
  /** What a series is called: text and `{{label}}`. Needed where there is more than one. */
  readonly legend?: string;
}

interface Basics {
  readonly title: string;
  /** One sentence: what is shown. */
  readonly means: string;
  /** When to worry, and what then follows. */
  readonly worry: string;
  /** One of Grafana's units: `@grafana/grafana-foundation-sdk/units`. */
  readonly unit: string;
  readonly steps: Steps;
  /** Of 24 columns. */
  readonly width: number;
  /** Of 30 pixels each. @default by the kind of panel */
  readonly height?: number;
  readonly decimals?: number;
  /** A page in docs/. */
  readonly read?: string;
  readonly more?: DashboardName;
  /** Left out where a stack has not that. */
  readonly needs?: Need;
  /** What is shown instead of nothing, where nothing can be well. @default "nobody tells" */
  readonly none?: string;
}

/** A number of now, on its colour. Not the last one there was: what nobody tells any more is no number. */
export interface Stat extends Basics {
  readonly kind: "stat";
  readonly queries: readonly Query[];
  /** Words instead of numbers. */
  readonly words?: Readonly<Record<string, string>>;
}

/** Courses over time. */
export interface Lines extends Basics {
  readonly kind: "lines";
  readonly queries: readonly Query[];
  /** The sum matters, too. */
  readonly stacked?: boolean;
  readonly max?: number;
}

/** Which of a few states each series was in, when. */
export interface States extends Basics {
  readonly kind: "states";
  readonly queries: readonly Query[];
  readonly words: Readonly<Record<string, string>>;
}

/** One line for each value of a label, and one column for each query. */
export interface Table extends Basics {
  readonly kind: "table";
  readonly label: string;
  readonly labelTitle: string;
  readonly columns: readonly Column[];
}

export interface Column {
  readonly title: string;
  readonly expr: string;
  readonly unit: string;
  readonly steps: Steps;
}

export type Panel = Stat | Lines | States | Table;

export const stat = (panel: Omit<Stat, "kind">): Panel => ({ kind: "stat", ...panel });
export const lines = (panel: Omit<Lines, "kind">): Panel => ({ kind: "lines", ...panel });
export const states = (panel: Omit<States, "kind">): Panel => ({ kind: "states", ...panel });
export const table = (panel: Omit<Table, "kind">): Panel => ({ kind: "table", ...panel });

/** Of the dashboard's variable: the same file serves every Grafana. */
export const datasource = { type: "prometheus", uid: `\${datasource}` };

const heights: Readonly<Record<Panel["kind"], number>> = { stat: 4, lines: 7, states: 6, table: 9 };

export const heightOf = (panel: Panel): number => panel.height ?? heights[panel.kind];

/** Each kind has a builder of its own; what they share has no type in the SDK. */
type AnyBuilder = StatBuilder | LinesBuilder | StatesBuilder | TableBuilder;

/** @throws Error for a metric that no job scrapes */
export function buildPanel(
  panel: Panel,
  id: number,
  place: GridPos,
  settings: DashboardSettings,
): GrafanaPanel {
  const builder = builderOf(panel);
  builder
    .id(id)
    .gridPos(place)
    .title(panel.title)
    .description(description(panel))
    .datasource(datasource)
    .unit(panel.unit)
    .thresholds(thresholds(panel.steps))
    .interval(`${Math.max(...exprs(panel).map(scrapeSeconds))}s`)
    .noValue(panel.none ?? "nobody tells")
    .targets(targets(panel))
    .links([
      ...(panel.more === undefined ? [] : [linkTo(panel.more)]),
      ...(panel.read === undefined ? [] : linksToDocs(panel.read, settings)),
    ]);
  if (panel.decimals !== undefined) builder.decimals(panel.decimals);
  return builder.build();
}

/** Paragraphs: what it means, when to worry, where it is written what to do then. */
function description({ means, worry, read }: Panel): string {
  return [means, worry, ...(read === undefined ? [] : [`See docs/${read}`])].join("\n\n");
}

function exprs(panel: Panel): string[] {
  return (panel.kind === "table" ? panel.columns : panel.queries).map(({ expr }) => expr);
}

function targets(panel: Panel): Builder<Dataquery>[] {
  if (panel.kind === "table") {
    return panel.columns.map(({ expr }, index) => query(expr, index).instant().format(PromQueryFormat.Table));
  }
  return panel.queries.map(({ expr, legend }, index) => {
    const target = query(expr, index).legendFormat(legend ?? panel.title);
    return panel.kind === "stat" ? target.instant() : target.range();
  });
}

function query(expr: string, index: number): DataqueryBuilder {
  return new DataqueryBuilder().datasource(datasource).refId(refId(index)).expr(expr);
}

function refId(index: number): string {
  return String.fromCharCode("A".charCodeAt(0) + index);
}

function builderOf(panel: Panel): AnyBuilder {
  switch (panel.kind) {
    case "stat":
      return new StatBuilder()
        .colorMode(BigValueColorMode.Background)
        .graphMode(BigValueGraphMode.None)
        .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
        .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
        .mappings(panel.words === undefined ? [] : [inWords(panel.words)]);
    case "lines":
      return linesBuilder(panel);
    case "states":
      return new StatesBuilder()
        .mappings([inWords(panel.words)])
        .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
        .showValue(VisibilityMode.Auto)
        .mergeValues(true)
        .rowHeight(0.8)
        .fillOpacity(80)
        .lineWidth(0)
        .legend(legend([]))
        .tooltip(tooltip);
    case "table":
      return tableBuilder(panel);
  }
}

function linesBuilder({ steps, stacked, max }: Lines): LinesBuilder {
  const builder = new LinesBuilder()
    .min(0)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
    .lineWidth(1)
    .fillOpacity(stacked ? 30 : 8)
    .showPoints(VisibilityMode.Never)
    // A gap is something to see.
    .spanNulls(false)
    .thresholdsStyle(
      new GraphThresholdsStyleConfigBuilder().mode(
        steps.length > 1 ? GraphThresholdsStyleMode.Dashed : GraphThresholdsStyleMode.Off,
      ),
    )
    .legend(legend(["lastNotNull", "max"]))
    .tooltip(tooltip);
  if (stacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group("A"));
  return max === undefined ? builder : builder.max(max);
}

function tableBuilder({ label, labelTitle, columns }: Table): TableBuilder {
  // How Grafana calls each query's values in a table.
  const names = columns.map((_, index) => `Value #${refId(index)}`);
  const builder = new TableBuilder().showHeader(true).transformations([
    { id: "merge", options: {} },
    {
      id: "organize",
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries([label, ...names].map((name, index) => [name, index])),
        renameByName: {
          [label]: labelTitle,
          ...Object.fromEntries(columns.map(({ title }, index) => [names[index], title])),
        },
      },
    },
  ]);
  for (const { title, unit, steps } of columns) {
    builder.overrideByName(title, [
      { id: "unit", value: unit },
      { id: "thresholds", value: thresholds(steps).build() },
      ...(steps.length > 1
        ? [{ id: "custom.cellOptions", value: { type: "color-background", mode: "basic" } }]
        : []),
    ]);
  }
  return builder;
}

function inWords(words: Readonly<Record<string, string>>): ValueMap {
  return {
    type: MappingType.ValueToText,
    options: Object.fromEntries(
      Object.entries(words).map(([value, text], index) => [value, { text, index }]),
    ),
  };
}

const legend = (calcs: string[]) =>
  new VizLegendOptionsBuilder()
    .displayMode(calcs.length === 0 ? LegendDisplayMode.List : LegendDisplayMode.Table)
    .placement(LegendPlacement.Bottom)
    .showLegend(true)
    .calcs(calcs);

const tooltip = new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending);
