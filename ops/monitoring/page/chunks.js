// Chunks of one hypertable, a page at a time: along time, and as a table.
import { get } from "./api.js";
import { byId, element, row, setChoices, time, within } from "./dom.js";
import { bytes, localTime, nothing, percent, plural, roughCount } from "./format.js";
import { Panel } from "./panel.js";
import { timeline } from "./timeline.js";

/** @typedef {import("./answers.js").Chunks} Chunks */

const pageSize = 50;
const svg = "http://www.w3.org/2000/svg";
/** Of the drawing, in its own units: it is stretched to the room there is. */
const width = 1000;
const height = 90;

/** @returns {{ panel: Panel<Chunks>, offer: (names: readonly string[]) => void }} offer: before it is asked for */
export function chunksPanel() {
  const root = byId("chunks");
  const choice = byId("chunks-hypertable", HTMLSelectElement);
  const previous = byId("chunks-previous", HTMLButtonElement);
  const next = byId("chunks-next", HTMLButtonElement);
  /** Cursors of the pages up to this one; the first page has none. @type {(string | undefined)[]} */
  let pages = [undefined];

  /** @type {Panel<Chunks>} */
  const panel = new Panel({
    root,
    load: async (request) =>
      choice.value === ""
        ? { chunks: [], next: null }
        : get("/metrics/chunks", {
            ...request,
            query: { hypertable: choice.value, limit: pageSize, after: pages.at(-1) },
          }),
    empty: ({ chunks }) =>
      chunks.length === 0 && pages.length === 1 ? "There are no chunks yet." : undefined,
    render: ({ chunks, next: following }) => {
      draw(root, chunks);
      within(root, "tbody").replaceChildren(...chunks.map(rowOf));
      byId("chunks-page").textContent = `Page ${pages.length}`;
      byId("chunks-pages").hidden = pages.length === 1 && following === null;
    },
    changed: (data) => {
      // Not disabled: whoever is on it by keyboard would lose his place.
      previous.setAttribute("aria-disabled", String(pages.length === 1));
      next.setAttribute("aria-disabled", String((data?.next ?? null) === null));
    },
  });

  choice.addEventListener("change", () => {
    pages = [undefined];
    panel.forget();
    void panel.refresh(true);
  });
  previous.addEventListener("click", () => {
    if (pages.length === 1) return;
    pages.pop();
    void panel.refresh(true);
  });
  next.addEventListener("click", () => {
    const cursor = panel.data?.next;
    if (typeof cursor !== "string") return;
    // It is there already when the page was asked for and did not come.
    if (pages.at(-1) !== cursor) pages.push(cursor);
    void panel.refresh(true);
  });

  return {
    panel,
    offer: (names) => {
      const before = choice.value;
      setChoices(
        choice,
        names.map((name) => ({ value: name, label: name })),
      );
      if (choice.value !== before) pages = [undefined];
    },
  };
}

/** @param {Chunks["chunks"][number]} chunk */
function rowOf(chunk) {
  const { sizeBytes, beforeBytes } = chunk;
  const saved =
    sizeBytes !== null && beforeBytes ? percent(Math.max(0, 1 - sizeBytes / beforeBytes)) : nothing;
  return row([
    time(chunk.from, "date"),
    time(chunk.to, "date"),
    chunk.store === "columns" ? "compressed" : "rows",
    { number: bytes(sizeBytes) },
    { number: saved },
    { number: roughCount(chunk.rows) },
    element("code", {}, chunk.name),
  ]);
}

/**
 * @param {HTMLElement} root
 * @param {Chunks["chunks"]} chunks
 */
function draw(root, chunks) {
  const line = timeline(chunks);
  const figure = within(root, ".timeline");
  figure.hidden = line === undefined;
  if (line === undefined) return;
  const compressed = chunks.filter(({ store }) => store === "columns").length;
  const drawing = document.createElementNS(svg, "svg");
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("role", "img");
  drawing.setAttribute(
    "aria-label",
    `${plural(chunks.length, "chunk")} from ${localTime(line.from)} to ${localTime(line.to)}, ${compressed} compressed. The table below has the same.`,
  );
  for (const { chunk, left, width: wide, height: high } of line.bars) {
    const bar = document.createElementNS(svg, "rect");
    bar.setAttribute("class", `chunk chunk-${chunk.store === "columns" ? "columns" : "rows"}`);
    bar.setAttribute("x", String(left * width));
    bar.setAttribute("width", String(Math.max(1, wide * width - 1)));
    bar.setAttribute("y", String((1 - high) * height));
    bar.setAttribute("height", String(high * height));
    const title = document.createElementNS(svg, "title");
    title.textContent = `${localTime(chunk.from)} to ${localTime(chunk.to)}: ${bytes(chunk.sizeBytes)}`;
    bar.append(title);
    drawing.append(bar);
  }
  within(figure, ".timeline-drawing").replaceChildren(drawing);
  within(figure, ".timeline-from").replaceChildren(time(line.from, "date"));
  within(figure, ".timeline-to").replaceChildren(time(line.to, "date"));
}
