import { createHash } from "node:crypto";

/** A metric of the dictionary `factory_telemetry.metrics`. */
export interface Metric {
  readonly id: number;
  readonly code: string;
  readonly name: string;
  readonly unit: string;
}

export interface MetricDictionary {
  readonly metrics: readonly Metric[];
  /** Lower-case other spellings, to metric ids. */
  readonly aliases: ReadonlyMap<string, number>;
}

export interface NewMetric {
  readonly code: string;
  readonly name: string;
  readonly unit: string;
  readonly kind: "gauge" | "state";
}

/** Units that are believed in parentheses: `Pressure (bar)` has one, `Pressure (inlet)` does not. */
const knownUnits = new Set(
  (
    "%|°|°c|°f|c|f|k|bar|mbar|pa|hpa|kpa|mpa|psi|v|mv|kv|a|ma|ka|w|kw|mw|wh|kwh|mwh|va|kva|var|kvar|hz|khz|rpm|1/min|" +
    "min-1|1/s|mm/s|m/s|m/s²|m/s2|mm/s²|g|mg|kg|t|l|ml|hl|l/min|l/h|m³|m3|m³/h|m3/h|m³/s|s|ms|µs|us|min|h|µm|um|mm|cm|m|" +
    "km|n|kn|nm|db|db(a)|ppm|ohm|ω|pcs|pieces|count"
  ).split("|"),
);

/** Columns that say what state something is in, as 0 and 1 or a number: labels of benchmarks, alarms, modes. */
const stateNames = /(^|_)(anomaly|changepoint|label|alarm|fault|state|status|mode|running)$/;

/** Splits `Temperature [°C]` and `Temp (°C)` into name and unit; the unit is "" where the header has none. */
export function splitUnit(header: string): { name: string; unit: string } {
  const brackets = /^(.*\S)\s*\[([^[\]]{1,20})\]$/.exec(header);
  if (brackets !== null) return { name: brackets[1] ?? header, unit: (brackets[2] ?? "").trim() };
  const parentheses = /^(.*\S)\s*\(([^()]{1,20}|dB\(A\))\)$/.exec(header);
  const unit = (parentheses?.[2] ?? "").trim();
  if (parentheses !== null && knownUnits.has(unit.toLowerCase()))
    return { name: parentheses[1] ?? header, unit };
  return { name: header, unit: "" };
}

/**
 * A metric's code from its name: `Volume Flow RateRMS` becomes `volume_flow_raterms`. Where letters are lost because
 * they are not Latin, or the name is too long, a hash of the name keeps different names apart.
 */
export function metricCode(name: string): string {
  const latin = name
    .replaceAll("µ", "u")
    .replaceAll("ß", "ss")
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase();
  const code = latin.replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  const lossy = /[^\p{ASCII}]/u.test(latin.replace(/[^\p{L}\p{N}]/gu, ""));
  if (code !== "" && code.length <= 63 && !lossy) return code;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return code === "" ? `metric_${hash}` : `${code.slice(0, 54)}_${hash}`;
}

/**
 * Finds the metric that a header name means: by alias, code, name, or a name that gives the same code; without regard
 * to case. Units must not contradict each other: degrees Fahrenheit never end up in a metric of degrees Celsius.
 *
 * @returns the metric, or the one to add to the dictionary.
 */
export function matchMetric(header: string, dictionary: MetricDictionary): Metric | NewMetric {
  const { name, unit } = splitUnit(header);
  const wanted = [header.toLowerCase(), name.toLowerCase()];
  const alias = wanted.map((text) => dictionary.aliases.get(text)).find((id) => id !== undefined);
  const code = metricCode(name);
  const withUnit = metricCode(`${name} ${unit}`);
  const found =
    dictionary.metrics.find((metric) => metric.id === alias) ??
    [
      (metric: Metric) => metric.code === header || metric.name === header,
      (metric: Metric) => wanted.includes(metric.code) || wanted.includes(metric.name.toLowerCase()),
      (metric: Metric) => metric.code === code || metric.code === withUnit,
    ]
      .map((matches) => dictionary.metrics.find((metric) => matches(metric) && unitsAgree(metric.unit, unit)))
      .find((metric) => metric !== undefined);
  if (found !== undefined) return found;
  const free = [code, withUnit].find((text) => dictionary.metrics.every((metric) => metric.code !== text));
  return {
    code:
      free ?? metricCode(`${name} ${unit} ${createHash("sha256").update(header).digest("hex").slice(0, 8)}`),
    name,
    unit,
    kind: stateNames.test(code) ? "state" : "gauge",
  };
}

function unitsAgree(one: string, other: string): boolean {
  const plain = (unit: string) => unit.replace(/[°\s]/g, "").replaceAll("²", "2").replaceAll("³", "3");
  return one === "" || other === "" || plain(one) === plain(other);
}
