// OEE per machine: bars for the range, and one machine's course by hour.
import { get } from "./api.js";
import { ratioBar } from "./bars.js";
import { Chart, legend, tableToggle } from "./chart.js";
import { byId, row, setChoices, time, within } from "./dom.js";
import { count, localTime, percent } from "./format.js";
import { Panel } from "./panel.js";
import { oeeRange } from "./range.js";
import { oeeColumns, oeeSummary } from "./series.js";

/** @typedef {import("./answers.js").Oee} Oee */

/** Of many machines, those that need a look come first, and the others on request. */
const shownAtFirst = 10;

/**
 * @param {() => import("./range.js").Range} range
 * @param {() => import("./dom.js").Content} emptyNote
 * @returns {Panel<Oee>}
 */
export function oeePanel(range, emptyNote) {
  const root = byId("oee");
  const choice = byId("oee-machine", HTMLSelectElement);
  const more = byId("oee-more", HTMLButtonElement);
  const chart = new Chart(byId("oee-chart"));
  let all = false;

  /** @type {Panel<Oee>} */
  const panel = new Panel({
    root,
    load: (request) => {
      const { from, to, cut } = oeeRange(range());
      byId("oee-cut").hidden = !cut;
      return get("/oee", { ...request, query: { from, to } });
    },
    empty: ({ machines }) => (machines.length === 0 ? emptyNote() : undefined),
    render: (oee) => {
      const lowestFirst = [...oee.machines].sort(
        (a, b) => (a.oee ?? 2) - (b.oee ?? 2) || a.name.localeCompare(b.name),
      );
      const shown = all ? lowestFirst : lowestFirst.slice(0, shownAtFirst);
      within(root, ".bars tbody").replaceChildren(...shown.map(barsOf));
      more.hidden = oee.machines.length <= shownAtFirst;
      more.textContent = all
        ? `Only the lowest ${shownAtFirst}`
        : `All ${count(oee.machines.length)} machines`;
      setChoices(
        choice,
        lowestFirst.map(({ id, name }) => ({ value: String(id), label: name })),
      );
      draw(oee);
      fillTable();
    },
  });

  const fillTable = tableToggle(byId("oee-chart"), () => {
    if (panel.data === undefined) return [];
    const { at, chosen, mean } = oeeColumns(panel.data, choice.value);
    return at.map((moment, index) =>
      row([time(iso(moment), "date"), { number: percent(chosen[index]) }, { number: percent(mean[index]) }]),
    );
  });

  /** @param {Oee} oee */
  const draw = (oee) => {
    const columns = oeeColumns(oee, choice.value);
    const name = oee.machines.find(({ id }) => String(id) === choice.value)?.name ?? "";
    legend(byId("oee-legend"), [
      { swatch: "swatch-line", label: name },
      { swatch: "swatch-dashed", label: "mean of all machines" },
    ]);
    chart.show({
      at: columns.at,
      lines: [
        { label: "mean", values: columns.mean, colour: "--muted", style: "dashed" },
        { label: name, values: columns.chosen, colour: "--accent", style: "line" },
      ],
      axis: (value) => `${Math.round(value * 100)} %`,
      limits: [0, 1],
      readout: (index) =>
        `${localTime(iso(columns.at[index] ?? 0))}: ${percent(columns.chosen[index])}, mean of all ${percent(columns.mean[index])}`,
      summary: `OEE of ${name}. ${oeeSummary(columns)}`,
    });
  };

  choice.addEventListener("change", () => panel.redraw());
  more.addEventListener("click", () => {
    all = !all;
    panel.redraw();
  });
  return panel;
}

/** @param {Oee["machines"][number]} machine */
function barsOf({ name, oee, availability, performance, quality }) {
  return row([name, ...[oee, availability, performance, quality].map(ratioBar)]);
}

/** @param {number} seconds since 1970 */
function iso(seconds) {
  return new Date(seconds * 1000).toISOString();
}
