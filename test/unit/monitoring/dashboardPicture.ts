// What a dashboard looks like, as text: for readers without Grafana (docs/dashboards.md).
import type { Dashboard, GridPos, Panel, RowPanel } from "@grafana/grafana-foundation-sdk/dashboard";
import { table } from "../../../ops/preview/markdown";

/** Characters of one of the 24 columns. */
const scale = 5;

export function isRow(panel: Panel | RowPanel): panel is RowPanel {
  return panel.type === "row";
}

/** Panels alone, without the bars between them. */
export function panelsOf({ panels = [] }: Dashboard): Panel[] {
  return panels.filter((panel): panel is Panel => !isRow(panel));
}

export function placeOf({ title, gridPos }: Panel | RowPanel): GridPos {
  if (gridPos === undefined) throw new Error(`${title} has no place`);
  return gridPos;
}

/** A chapter on each: what it is for, how it looks, what each panel means. */
export function describeDashboards(dashboards: readonly Dashboard[]): string {
  return dashboards
    .map(describeDashboard)
    .map((chapter) => chapter.trimEnd())
    .join("\n\n");
}

function describeDashboard(dashboard: Dashboard): string {
  const { title = "", uid, description = "", refresh, time, templating } = dashboard;
  const choices = (templating.list ?? []).map(({ name }) => name).filter((name) => name !== "datasource");
  const facts = [
    `\`/d/${uid}\``,
    `looks again every ${refresh}`,
    `the last ${time?.from.replace("now-", "")}`,
    ...(choices.length === 0 ? [] : [`choose by ${choices.join(", ")}`]),
  ];
  const rows = panelsOf(dashboard).map((panel) => {
    const [means = "", worry = ""] = (panel.description ?? "").split("\n\n");
    return [panel.title ?? "", means, worry];
  });
  return [
    `## ${title.replace(/^MS5: /, "").replace(/^./, (first) => first.toUpperCase())}\n`,
    `${description}\n`,
    `${facts.join(" · ")}\n`,
    `\`\`\`\n${picture(dashboard)}\n\`\`\`\n`,
    table(["panel", "what it shows", "when to worry"], rows),
  ].join("\n");
}

/** Panels as boxes; a bar with its title above each row's. */
function picture({ panels = [] }: Dashboard): string {
  const lines = new Map<number, (Panel | RowPanel)[]>();
  for (const panel of panels) {
    const { y } = placeOf(panel);
    lines.set(y, [...(lines.get(y) ?? []), panel]);
  }
  return [...lines.values()]
    .map((line) => {
      const [first] = line;
      return first !== undefined && isRow(first) ? `▾ ${first.title}` : boxes(line);
    })
    .join("\n");
}

function boxes(panels: readonly (Panel | RowPanel)[]): string {
  const texts = panels.map((panel) => wrap(panel.title ?? "", placeOf(panel).w * scale - 4));
  const height = Math.max(...texts.map(({ length }) => length));
  const drawn = panels.map((panel, index) => {
    const inner = placeOf(panel).w * scale - 4;
    const text = Array.from({ length: height }, (_, line) => (texts[index]?.[line] ?? "").padEnd(inner));
    return [`┌${"─".repeat(inner + 2)}┐`, ...text.map((line) => `│ ${line} │`), `└${"─".repeat(inner + 2)}┘`];
  });
  return Array.from({ length: height + 2 }, (_, line) => drawn.map((box) => box[line]).join("")).join("\n");
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
