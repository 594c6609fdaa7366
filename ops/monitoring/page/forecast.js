// Storage: what was taken, what is to be expected, and how wrong that may be.
import { get } from "./api.js";
import { Chart, legend, tableToggle } from "./chart.js";
import { byId, element, row, time, within } from "./dom.js";
import { bytes, localTime, nothing, percent, sentenceCase } from "./format.js";
import { Panel } from "./panel.js";
import { forecastColumns } from "./series.js";

/** @typedef {import("./answers.js").Forecast} Forecast */

/** Ticks at whole KiB, MiB, GiB and their halves, doubles and quadruples. */
const byteSteps = Array.from({ length: 50 }, (_, power) => 2 ** power);

/**
 * @param {(forecast: Forecast | undefined) => void} changed
 * @returns {Panel<Forecast>}
 */
export function forecastPanel(changed) {
  const root = byId("forecast");
  const chart = new Chart(byId("forecast-chart"));
  const method = byId("forecast-method");

  /** @type {Panel<Forecast>} */
  const panel = new Panel({
    root,
    load: (request) => get("/advice/storage", request),
    empty: ({ history }) =>
      history.length === 0 ? "There is no history yet: a forecast needs some days of data." : undefined,
    render: (forecast) => {
      within(root, ".total").replaceChildren(...sentence(forecast));
      within(method, "p").textContent = sentenceCase(forecast.method);
      within(method, "ul").replaceChildren(...(forecast.notes ?? []).map((note) => element("li", {}, note)));
      draw(forecast);
      fillTable();
    },
    changed,
  });

  /** @param {Forecast} forecast */
  const draw = (forecast) => {
    const { at, history, forecast: ahead, low, high } = forecastColumns(forecast);
    const most = [...history, ...high].reduce((a, b) => Math.max(a ?? 0, b ?? 0), 0) ?? 0;
    legend(byId("forecast-legend"), [
      { swatch: "swatch-line", label: "stored" },
      { swatch: "swatch-dashed-accent", label: "expected" },
      { swatch: "swatch-band", label: "likely range" },
    ]);
    chart.show({
      at,
      lines: [
        { label: "high", values: high, colour: "--band", style: "edge" },
        { label: "low", values: low, colour: "--band", style: "edge" },
        { label: "stored", values: history, colour: "--accent", style: "line" },
        { label: "expected", values: ahead, colour: "--accent", style: "dashed" },
      ],
      band: [0, 1],
      axis: bytes,
      limits: [0, most * 1.08 || 1],
      steps: byteSteps,
      readout: (index) => {
        const moment = localTime(new Date((at[index] ?? 0) * 1000).toISOString());
        return typeof history[index] === "number"
          ? `${moment}: ${bytes(history[index])} stored`
          : `${moment}: ${bytes(ahead[index])} expected, ${bytes(low[index])} to ${bytes(high[index])} likely`;
      },
      summary: `Storage. ${within(root, ".total").textContent}`,
    });
  };

  const fillTable = tableToggle(byId("forecast-chart"), () => {
    const { history = [], forecast = [] } = panel.data ?? {};
    return [
      ...history.map((point) =>
        row([time(point.at, "date"), "stored", { number: bytes(point.bytes) }, nothing]),
      ),
      ...forecast.map((point) =>
        row([
          time(point.at, "date"),
          "expected",
          { number: bytes(point.bytes) },
          `${bytes(point.low)} to ${bytes(point.high)}`,
        ]),
      ),
    ];
  });

  return panel;
}

/**
 * @param {Forecast} forecast
 * @returns {import("./dom.js").Content[]}
 */
function sentence({ history, forecast, volumeBytes, fullAt, fullAtEarliest, error }) {
  const last = forecast.at(-1);
  return [
    `${bytes(history.at(-1)?.bytes)} now`,
    ...(last === undefined ? [". "] : [`, about ${bytes(last.bytes)} on `, time(last.at, "date"), ". "]),
    ...(fullAt === null
      ? [volumeBytes ? `The disk of ${bytes(volumeBytes)} does not fill up in that time. ` : ""]
      : ["The disk is full on ", time(fullAt, "date"), ". "]),
    ...(fullAtEarliest ? ["At the earliest it is on ", time(fullAtEarliest, "date"), ". "] : []),
    error.mape === null
      ? "How wrong this may be is not known yet."
      : `Tried on the past, it was wrong by ${percent(error.mape)} on average.`,
  ];
}
