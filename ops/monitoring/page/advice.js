// Advice per hypertable: compression and chunk intervals. What should change comes first.
import { chunkIntervalItems, columnstoreItems } from "./adviceItems.js";
import { get } from "./api.js";
import { byId, element, signElement, within } from "./dom.js";
import { sentenceCase } from "./format.js";
import { Panel } from "./panel.js";

const nothingYet = "There is no advice yet: it needs some data.";

/** @returns {Panel<import("./answers.js").ColumnstoreAdvice>} */
export function columnstoreAdvicePanel() {
  const root = byId("advice-columnstore");
  return new Panel({
    root,
    load: (request) => get("/advice/columnstore", request),
    empty: ({ unavailable, hypertables }) => {
      if (unavailable !== null) return sentenceCase(unavailable);
      return hypertables.length === 0 ? nothingYet : undefined;
    },
    render: (answer) => render(root, columnstoreItems(answer)),
  });
}

/** @returns {Panel<import("./answers.js").ChunkIntervalAdvice>} */
export function chunkIntervalAdvicePanel() {
  const root = byId("advice-chunk-interval");
  return new Panel({
    root,
    load: (request) => get("/advice/chunk-interval", request),
    empty: ({ hypertables }) => (hypertables.length === 0 ? nothingYet : undefined),
    render: (answer) => render(root, chunkIntervalItems(answer)),
  });
}

/**
 * @param {HTMLElement} root
 * @param {readonly import("./adviceItems.js").Advised[]} items
 */
function render(root, items) {
  within(root, ".content").replaceChildren(
    element(
      "ul",
      { class: "advice" },
      ...items.map(({ hypertable, sign, headline, why, setting }) =>
        element(
          "li",
          {},
          element("strong", { class: "name" }, hypertable),
          signElement(sign, headline),
          element("ul", { class: "why" }, ...why.map((sentence) => element("li", {}, sentence))),
          ...(setting === undefined ? [] : [element("code", { class: "setting" }, setting)]),
        ),
      ),
    ),
  );
}
