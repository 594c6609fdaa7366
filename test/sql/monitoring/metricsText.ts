/** What a scrape says, by series: `name{a="1",b="2"}` with labels in alphabetical order. */
export function parseMetrics(text: string): Map<string, number> {
  const series = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, labels, value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const sorted = (labels?.match(/[a-z]+="(?:[^"\\]|\\.)*"/g) ?? []).sort().join(",");
    series.set(sorted === "" ? name : `${name}{${sorted}}`, Number(value));
  }
  return series;
}
