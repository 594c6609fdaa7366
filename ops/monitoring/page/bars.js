// A number with a bar behind which one sees at a look which is larger.
import { element } from "./dom.js";
import { percent } from "./format.js";

/** @param {number | null | undefined} ratio 0 to 1; more fills the bar */
export function ratioBar(ratio) {
  const fill = element("span", { class: "fill" });
  fill.style.inlineSize = `${Math.min(1, Math.max(0, ratio ?? 0)) * 100}%`;
  return element(
    "span",
    { class: "ratio" },
    element("span", { class: "ratio-number" }, percent(ratio)),
    element("span", { class: "bar", "aria-hidden": "true" }, fill),
  );
}
