// Compression: what the columnstore saves, and what it should hold already.
import { get } from "./api.js";
import { ratioBar } from "./bars.js";
import { byId, row, signElement, within } from "./dom.js";
import { bytes, duration, nothing, percent, plural } from "./format.js";
import { nameOf } from "./hypertables.js";
import { Panel } from "./panel.js";

/** @typedef {import("./answers.js").Compression} Compression */

/**
 * @param {(compression: Compression | undefined) => void} changed
 * @returns {Panel<Compression>}
 */
export function compressionPanel(changed) {
  const root = byId("compression");
  return new Panel({
    root,
    load: (request) => get("/metrics/compression", request),
    empty: ({ hypertables }) => (hypertables.length === 0 ? "There is nothing to compress yet." : undefined),
    render: ({ hypertables, totals }) => {
      within(root, ".total").textContent =
        totals.savedRatio === null
          ? "Nothing is compressed yet."
          : `${percent(totals.savedRatio)} saved: ${bytes(totals.beforeBytes)} became ${bytes(totals.afterBytes)}.`;
      within(root, "tbody").replaceChildren(...hypertables.map(rowOf));
    },
    changed,
  });
}

/** @param {Compression["hypertables"][number]} hypertable */
function rowOf(hypertable) {
  return row([
    nameOf(hypertable),
    hypertable.enabled ? ratioBar(hypertable.savedRatio) : "not compressed",
    { number: bytes(hypertable.beforeBytes) },
    { number: bytes(hypertable.afterBytes) },
    { number: hypertable.afterSeconds === null ? nothing : duration(hypertable.afterSeconds) },
    hypertable.enabled ? overdue(hypertable.overdueChunks) : nothing,
  ]);
}

/** @param {number | null} chunks */
function overdue(chunks) {
  if (chunks === null) return nothing;
  return chunks === 0 ? signElement("good", "None") : signElement("look", plural(chunks, "chunk"));
}
