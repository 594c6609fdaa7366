// GitHub's Markdown, purely. What others wrote (names, values, messages) gets in as code only: there no character means
// anything, nobody is mentioned and no HTML is HTML.

/** Text as a code span on one line, good in a table's cell too. */
export function code(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  // An empty span would be two backticks.
  if (line === "") return "(empty)";
  const ticks = "`".repeat(longestRun(line) + 1);
  const padded = line.startsWith("`") || line.endsWith("`") ? ` ${line} ` : line;
  // A table's cell ends at a pipe even inside code.
  return `${ticks}${padded.replaceAll("|", "\\|")}${ticks}`;
}

/** Lines as a block of code. */
export function block(language: string, text: string): string {
  const ticks = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${ticks}${language}\n${text.replace(/\n+$/, "")}\n${ticks}`;
}

/** What a reader unfolds. The title is HTML: GitHub reads no Markdown there. */
export function folded(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}

/** Text inside HTML. */
export function html(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** The first of them, and how many more there are. */
export function atMost<T>(count: number, items: readonly T[], show: (item: T) => string): string[] {
  const shown = items.slice(0, count).map(show);
  return items.length > count ? [...shown, `… and ${items.length - count} more`] : shown;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}
