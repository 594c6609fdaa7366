// Hypertables: how large, how many rows, how fresh.
import { get } from "./api.js";
import { breakable, byId, element, row, time, within } from "./dom.js";
import { bytes, count, duration, nothing, roughCount } from "./format.js";
import { Panel } from "./panel.js";
import { largestFirst } from "./verdicts.js";

/** @typedef {import("./answers.js").Hypertables} Hypertables */

/**
 * @param {(hypertables: Hypertables | undefined) => void} changed
 * @returns {Panel<Hypertables>}
 */
export function hypertablesPanel(changed) {
  const root = byId("hypertables");
  return new Panel({
    root,
    load: (request) => get("/metrics/hypertables", request),
    empty: ({ hypertables }) => (hypertables.length === 0 ? "There are no hypertables yet." : undefined),
    render: ({ hypertables }) => {
      within(root, "tbody").replaceChildren(...largestFirst(hypertables).map(rowOf));
    },
    changed,
  });
}

/** @param {Hypertables["hypertables"][number]} hypertable */
function rowOf(hypertable) {
  const { chunks, columnChunks } = hypertable;
  return row([
    nameOf(hypertable),
    hypertable.kind === "aggregate"
      ? nothing
      : hypertable.newestRow === null
        ? "no rows"
        : time(hypertable.newestRow, "ago"),
    { number: bytes(hypertable.sizeBytes) },
    { number: roughCount(hypertable.rows) },
    {
      number: columnChunks === null ? count(chunks) : `${count(chunks)} (${count(columnChunks)} compressed)`,
    },
    { number: duration(hypertable.chunkIntervalSeconds) },
    time(hypertable.oldest, "date"),
  ]);
}

/** @param {{ readonly name: string, readonly kind: import("./answers.js").Kind }} hypertable */
export function nameOf({ name, kind }) {
  const words = element("span", { class: "name" }, ...breakable(name));
  if (kind === "aggregate") words.append(element("span", { class: "kind" }, "aggregate"));
  return words;
}
