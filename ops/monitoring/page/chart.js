// Line charts by uPlot: in the page's colours, as wide as there is room, read with the arrow keys too.
import uPlot from "/assets/uplot/uPlot.esm.js";
import { element, within } from "./dom.js";
import { tickLabels } from "./format.js";
import { isolated } from "./series.js";

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {import("./series.js").Column} values
 * @property {"--accent" | "--muted" | "--bad" | "--band"} colour a custom property of style.css
 * @property {"line" | "dashed" | "edge" | "marks"} style edge: of a band, not drawn itself
 */

/**
 * @typedef {object} ChartData
 * @property {readonly number[]} at seconds since 1970
 * @property {readonly Line[]} lines
 * @property {readonly [number, number]} [band] between which lines: the upper's and the lower's place in `lines`
 * @property {(value: number) => string} axis a tick of the y axis
 * @property {(index: number) => string} readout what is at this place of `at`
 * @property {string} summary for those who don't see it
 * @property {readonly [number, number]} [limits] of the y axis; without: what the values need
 * @property {readonly number[]} [steps] between ticks of the y axis
 */

const height = 260;
/** Pixels of a character of the axes' font, and around the words. */
const labelCharacter = 7;
const axisPadding = 14;

export class Chart {
  /** @type {uPlot | undefined} */
  #plot;
  /** @type {ChartData | undefined} */
  #data;

  /** @param {HTMLElement} root has a .plot and a .readout */
  constructor(root) {
    this.plotRoot = within(root, ".plot");
    this.readout = within(root, ".readout");
    this.hint = this.readout.textContent ?? "";
    this.plotRoot.tabIndex = 0;
    this.plotRoot.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#resize()).observe(this.plotRoot);
  }

  /** @param {ChartData} data */
  show(data) {
    this.#data = data;
    const at = this.#plot?.cursor.idx;
    this.#plot?.destroy();
    this.plotRoot.setAttribute("aria-label", data.summary);
    this.#plot = new uPlot(
      this.#options(data),
      /** @type {uPlot.AlignedData} */ ([data.at, ...data.lines.map(({ values }) => values)]),
      this.plotRoot,
    );
    this.readout.textContent = this.hint;
    if (document.activeElement === this.plotRoot && typeof at === "number") this.#point(at);
  }

  /**
   * @param {ChartData} data
   * @returns {uPlot.Options}
   */
  #options(data) {
    const style = getComputedStyle(this.plotRoot);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const font = `12px ${style.fontFamily}`;
    const axis = {
      stroke: colour("--muted"),
      font,
      grid: { stroke: colour("--grid"), width: 1 },
      ticks: { show: false },
    };
    return {
      width: Math.max(this.plotRoot.clientWidth, 120),
      height,
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
      scales: { x: { time: true }, y: data.limits === undefined ? {} : { range: [...data.limits] } },
      axes: [
        { ...axis, size: 30, values: (_, ticks, __, ___, apart) => tickLabels(ticks, apart) },
        {
          ...axis,
          size: (_, labels) =>
            axisPadding + Math.max(0, ...(labels ?? []).map(({ length }) => length)) * labelCharacter,
          values: (_, ticks) => ticks.map((tick) => data.axis(tick)),
          ...(data.steps === undefined ? {} : { incrs: [...data.steps] }),
        },
      ],
      series: [{}, ...data.lines.map((line) => seriesOf(line, colour))],
      bands:
        data.band === undefined
          ? []
          : [{ series: [data.band[0] + 1, data.band[1] + 1], fill: colour("--band") }],
      hooks: { setCursor: [(plot) => this.#read(plot.cursor.idx)] },
    };
  }

  /** @param {number | null | undefined} index */
  #read(index) {
    const words = typeof index === "number" ? this.#data?.readout(index) : undefined;
    this.readout.textContent = words ?? this.hint;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const last = (this.#data?.at.length ?? 0) - 1;
    if (this.#plot === undefined || last < 0) return;
    const here = this.#plot.cursor.idx ?? (event.key === "ArrowRight" ? -1 : last + 1);
    const page = Math.max(1, Math.round(last / 10));
    /** @type {Readonly<Record<string, number>>} */
    const places = {
      ArrowLeft: here - 1,
      ArrowRight: here + 1,
      PageUp: here - page,
      PageDown: here + page,
      Home: 0,
      End: last,
    };
    const place = places[event.key];
    if (place === undefined) return;
    event.preventDefault();
    this.#point(Math.min(last, Math.max(0, place)));
  }

  /** @param {number} index */
  #point(index) {
    const at = this.#data?.at[index];
    if (this.#plot === undefined || at === undefined) return;
    this.#plot.setCursor({ left: this.#plot.valToPos(at, "x"), top: 0 });
  }

  #resize() {
    const width = this.plotRoot.clientWidth;
    if (this.#plot !== undefined && width > 0 && width !== this.#plot.width)
      this.#plot.setSize({ width, height });
  }
}

/**
 * @param {Line} line
 * @param {(name: string) => string} colour
 * @returns {uPlot.Series}
 */
function seriesOf({ label, values, colour: name, style }, colour) {
  if (style === "edge") return { label, stroke: "transparent", width: 0, points: { show: false } };
  const stroke = colour(name);
  if (style === "marks")
    return {
      label,
      stroke,
      paths: () => null,
      points: { show: true, size: 11, width: 2, stroke, fill: colour("--card") },
    };
  const alone = isolated(values);
  return {
    label,
    stroke,
    width: 2,
    ...(style === "dashed" ? { dash: [6, 5] } : {}),
    points: { show: alone.length > 0, filter: () => alone, size: 5, fill: stroke },
  };
}

/**
 * A button that shows the chart's values as a table, and hides it again. The table is filled when it is asked for.
 * @param {HTMLElement} root has a .table-toggle that controls a .scroll
 * @param {() => readonly HTMLElement[]} rows
 * @returns {() => void} to be called when the values are others
 */
export function tableToggle(root, rows) {
  const button = within(root, ".table-toggle");
  const box = within(root, ".scroll");
  const body = within(box, "tbody");
  const fill = () => {
    if (!box.hidden) body.replaceChildren(...rows());
  };
  button.addEventListener("click", () => {
    box.hidden = !box.hidden;
    button.setAttribute("aria-expanded", String(!box.hidden));
    fill();
  });
  return fill;
}

/**
 * What each line means.
 * @param {HTMLElement} root
 * @param {readonly { swatch: string, label: string }[]} entries
 */
export function legend(root, entries) {
  root.replaceChildren(
    ...entries.map(({ swatch, label }) =>
      element("li", {}, element("span", { class: `swatch ${swatch}`, "aria-hidden": "true" }), label),
    ),
  );
}
