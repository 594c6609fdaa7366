// One metric of one machine: its mean with what lay around it, what is unusual, and the values as a file.
import { address, download, get } from "./api.js";
import { Chart, legend, tableToggle } from "./chart.js";
import { byId, element, row, setChoices, time, within } from "./dom.js";
import { Failure } from "./failures.js";
import { duration, localTime, measured, sentenceCase } from "./format.js";
import { Panel } from "./panel.js";
import { anomaliesByBucket, anomalyCount, telemetryColumns, telemetrySummary } from "./series.js";

/** @typedef {import("./answers.js").Anomalies} Anomalies */
/**
 * @typedef {object} Shown
 * @property {import("./answers.js").Telemetry} telemetry
 * @property {Anomalies | undefined} anomalies undefined: they could not be had
 */

/** More than a screen has pixels shows nothing more. */
const points = 500;
/** Characters; a longer one would take the chart's room. */
const shortUnit = 6;

/**
 * @param {() => import("./range.js").Range} range
 * @param {() => import("./dom.js").Content} emptyNote
 * @returns {Panel<Shown>}
 */
export function telemetryPanel(range, emptyNote) {
  const root = byId("telemetry");
  const machine = byId("telemetry-machine", HTMLSelectElement);
  const metric = byId("telemetry-metric", HTMLSelectElement);
  const chart = new Chart(byId("telemetry-chart"));
  /** @type {readonly import("./answers.js").Machine[]} */
  let machines = [];
  /** Not when only another one of them was chosen. */
  let askMachines = true;
  const links = [byId("export-csv", HTMLAnchorElement), byId("export-parquet", HTMLAnchorElement)];

  /** @type {Panel<Shown>} */
  const panel = new Panel({
    root,
    load: async (request) => {
      if (askMachines) {
        machines = (await get("/machines", request)).machines;
        setChoices(
          machine,
          machines.map(({ id, name, line }) => ({ value: String(id), label: name, group: line })),
        );
        offerMetrics();
      }
      askMachines = true;
      const query = { machine: machine.value, metric: metric.value, ...range() };
      if (query.machine === "" || query.metric === "") {
        // Nothing can be asked for: as if the answer was empty.
        return { telemetry: { unit: "", bucketSeconds: 1, points: [] }, anomalies: undefined };
      }
      for (const link of links) link.href = address("/export", { ...query, format: link.dataset.format });
      const [telemetry, anomalies] = await Promise.all([
        get("/telemetry", { ...request, query: { ...query, points } }),
        // The chart is worth showing without them.
        get("/anomalies", { ...request, query }).catch(() => undefined),
      ]);
      return { telemetry, anomalies };
    },
    empty: ({ telemetry }) => {
      if (machines.length === 0) return "There are no machines yet.";
      return telemetry.points.length === 0 ? emptyNote() : undefined;
    },
    render: (shown) => {
      draw(shown);
      fillTable();
    },
  });

  /** @param {Shown} shown */
  const draw = ({ telemetry, anomalies }) => {
    const unusual = anomalies?.points ?? [];
    const { at, avg, min, max, anomaly } = telemetryColumns(telemetry, unusual);
    const { unit } = telemetry;
    legend(byId("telemetry-legend"), [
      { swatch: "swatch-line", label: `mean of each ${duration(telemetry.bucketSeconds)}` },
      { swatch: "swatch-band", label: "lowest to highest" },
      ...(unusual.length === 0 ? [] : [{ swatch: "swatch-marks", label: "anomaly" }]),
    ]);
    byId("telemetry-anomalies").textContent =
      anomalies === undefined
        ? "Anomalies are not known at the moment."
        : sentenceCase(anomalies.unavailable ?? anomalyCount(unusual.length));
    const method = byId("telemetry-method");
    method.hidden = anomalies === undefined;
    if (anomalies !== undefined) {
      within(method, "p").textContent =
        `${sentenceCase(anomalies.method)} From a score of ${measured(anomalies.threshold, "")} on it is an anomaly.`;
    }
    chart.show({
      at,
      lines: [
        { label: "highest", values: max, colour: "--band", style: "edge" },
        { label: "lowest", values: min, colour: "--band", style: "edge" },
        { label: "mean", values: avg, colour: "--accent", style: "line" },
        { label: "anomaly", values: anomaly, colour: "--bad", style: "marks" },
      ],
      band: [0, 1],
      axis: (value) => measured(value, unit.length <= shortUnit ? unit : ""),
      readout: (index) => {
        const moment = localTime(new Date((at[index] ?? 0) * 1000).toISOString());
        const mark = anomaly[index];
        const words = typeof mark === "number" ? ` Anomaly: ${measured(mark, unit)}.` : "";
        if (avg[index] === undefined) return `${moment}:${words}`;
        if (avg[index] === null) return `${moment}: no values.`;
        return `${moment}: ${measured(avg[index], unit)}, from ${measured(min[index], unit)} to ${measured(max[index], unit)}.${words}`;
      },
      summary: `${label(metric)} of ${label(machine)}. ${telemetrySummary(telemetry, unusual)}`,
    });
  };

  const fillTable = tableToggle(byId("telemetry-chart"), () => {
    if (panel.data === undefined) return [];
    const { telemetry, anomalies } = panel.data;
    const unusual = anomaliesByBucket(telemetry, anomalies?.points ?? []);
    return telemetry.points.map((point, index) =>
      row([
        time(point.at, "date"),
        { number: measured(point.avg, telemetry.unit) },
        { number: measured(point.min, telemetry.unit) },
        { number: measured(point.max, telemetry.unit) },
        (unusual[index] ?? [])
          .map(
            ({ value, expected }) =>
              `${measured(value, telemetry.unit)}, expected ${measured(expected, telemetry.unit)}`,
          )
          .join("; "),
      ]),
    );
  });

  const offerMetrics = () => {
    const chosen = machines.find(({ id }) => String(id) === machine.value);
    setChoices(
      metric,
      (chosen?.metrics ?? []).map(({ id, name, unit }) => ({
        value: String(id),
        label: unit === "" ? name : `${name} (${unit})`,
      })),
    );
  };
  const choose = () => {
    askMachines = false;
    panel.forget();
    void panel.refresh(true);
  };

  machine.addEventListener("change", () => {
    offerMetrics();
    choose();
  });
  metric.addEventListener("change", choose);
  for (const link of links) link.addEventListener("click", (event) => void save(event, link));
  return panel;
}

/**
 * By a request of ours, not the browser's: a link cannot carry a token, and could not say in words why there is no file.
 * @param {Event} event
 * @param {HTMLAnchorElement} link
 */
async function save(event, link) {
  event.preventDefault();
  const words = byId("export-state");
  if (link.getAttribute("aria-disabled") === "true") return;
  link.setAttribute("aria-disabled", "true");
  words.textContent = "Preparing the file …";
  try {
    const { blob, name } = await download(link.href);
    const url = URL.createObjectURL(blob);
    const anchor = /** @type {HTMLAnchorElement} */ (element("a", { href: url, download: name }));
    anchor.click();
    // The browser has begun to read it by then.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    words.textContent = `${name} is ready.`;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    words.textContent = `No file: ${error.message}`;
  } finally {
    link.removeAttribute("aria-disabled");
  }
}

/** @param {HTMLSelectElement} select */
function label(select) {
  return select.selectedOptions[0]?.textContent ?? "";
}
