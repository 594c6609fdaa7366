// From when to when OEE and telemetry are shown.
import { now } from "./clock.js";
import { byId } from "./dom.js";
import { customRange, fieldValue, lastRange, weekUntil } from "./range.js";

/** @typedef {import("./range.js").Range} Range */

/**
 * @param {() => void} changed
 * @returns {{ current: () => Range, showWeekUntil: (at: string) => void }}
 */
export function timeRange(changed) {
  const form = byId("range", HTMLFormElement);
  const choice = byId("range-choice", HTMLSelectElement);
  const fields = byId("range-custom", HTMLFieldSetElement);
  const from = byId("range-from", HTMLInputElement);
  const to = byId("range-to", HTMLInputElement);
  const error = byId("range-error");
  /** @type {Range | undefined} undefined: what the list says */
  let custom;

  /** @param {string} words */
  const complain = (words) => {
    error.textContent = words;
    for (const field of [from, to]) field.setAttribute("aria-invalid", String(words !== ""));
  };
  /** @param {Range} range */
  const write = (range) => {
    from.value = fieldValue(range.from);
    to.value = fieldValue(range.to);
    complain("");
  };

  choice.addEventListener("change", () => {
    const own = choice.value === "custom";
    fields.hidden = !own;
    custom = own ? lastRange("24h", now()) : undefined;
    if (custom === undefined) changed();
    else write(custom);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const range = customRange(from.value, to.value);
    complain("error" in range ? range.error : "");
    if ("error" in range) {
      from.focus();
      return;
    }
    custom = range;
    changed();
  });

  return {
    current: () => custom ?? lastRange(choice.value, now()),
    showWeekUntil: (at) => {
      custom = weekUntil(at);
      choice.value = "custom";
      fields.hidden = false;
      write(custom);
      changed();
    },
  };
}
