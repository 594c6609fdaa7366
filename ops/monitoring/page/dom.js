// Building the page's elements. What the API says becomes text, never markup.
import { now } from "./clock.js";
import { ago, localTime, nothing, utcTime } from "./format.js";
import { signWords } from "./verdicts.js";

/** @typedef {Node | string} Content */

/**
 * @param {string} tag
 * @param {Readonly<Record<string, string>>} [attributes]
 * @param {Content[]} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * A long name breaks between its words, not within one.
 * @param {string} name
 * @returns {Content[]}
 */
export function breakable(name) {
  return name.split(/(?<=[_:])/).flatMap((word, index) => (index === 0 ? [word] : [element("wbr"), word]));
}

/**
 * The one of that id.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {{ new (): T }} [type]
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  const wanted = type ?? HTMLElement;
  if (!(found instanceof wanted)) throw new Error(`index.html has no ${wanted.name} with id ${id}`);
  return /** @type {T} */ (found);
}

/**
 * The first within.
 * @param {ParentNode} parent
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function within(parent, selector) {
  const found = parent.querySelector(selector);
  if (!(found instanceof HTMLElement))
    throw new Error(`index.html has no ${selector} where it is looked for`);
  return found;
}

/**
 * A moment: in words that are kept up to date, or in the browser's zone. In UTC on hover.
 * @param {string | null | undefined} at
 * @param {"ago" | "date"} form
 * @returns {Content}
 */
export function time(at, form) {
  if (at === null || at === undefined || utcTime(at) === nothing) return nothing;
  const attributes = {
    datetime: at,
    title: form === "ago" ? `${localTime(at)} · ${utcTime(at)}` : utcTime(at),
  };
  if (form === "date") return element("time", attributes, localTime(at));
  return element("time", { ...attributes, "data-ago": "" }, ago(at, now()));
}

/** Words such as "3 minutes ago" grow old by themselves. */
export function refreshTimes() {
  for (const found of document.querySelectorAll("time[data-ago]")) {
    const words = ago(found.getAttribute("datetime"), now());
    if (found.textContent !== words) found.textContent = words;
  }
}

const shapes = { good: "✓", look: "!", bad: "✕", unknown: "?" };

/**
 * Colour, shape and word.
 * @param {import("./verdicts.js").Sign} sign
 * @param {string} [word]
 */
export function signElement(sign, word = signWords[sign]) {
  return element(
    "span",
    { class: `sign sign-${sign}` },
    element("span", { class: "shape", "aria-hidden": "true" }, shapes[sign]),
    element("span", { class: "word" }, word),
  );
}

/**
 * A row of a table: the first cell names it.
 * @param {readonly (Content | { number: Content })[]} cells a number stands at the right
 */
export function row(cells) {
  return element(
    "tr",
    {},
    ...cells.map((cell, index) => {
      const number = typeof cell === "object" && "number" in cell;
      const attributes = number ? { class: "number" } : undefined;
      const content = number ? cell.number : cell;
      return index === 0
        ? element("th", { scope: "row", ...attributes }, content)
        : element("td", attributes, content);
    }),
  );
}

/**
 * Choices of a list, only when they are others than before: an open list must not close.
 * @param {HTMLSelectElement} select
 * @param {readonly { value: string, label: string, group?: string | null | undefined }[]} choices
 */
export function setChoices(select, choices) {
  const key = JSON.stringify(choices);
  if (select.dataset.choices === key) return;
  select.dataset.choices = key;
  const chosen = select.value;
  /** @type {Map<string, HTMLElement>} */
  const groups = new Map();
  select.replaceChildren();
  for (const { value, label, group } of choices) {
    const option = element("option", { value }, label);
    if (!group) {
      select.append(option);
      continue;
    }
    const parent = groups.get(group) ?? element("optgroup", { label: group });
    if (!groups.has(group)) select.append(parent);
    groups.set(group, parent);
    parent.append(option);
  }
  if (choices.some(({ value }) => value === chosen)) select.value = chosen;
  select.disabled = choices.length === 0;
}

/** What scrolls can be scrolled by keyboard; what fits is no stop on the way. */
export function watchScrolling() {
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const box = target.closest(".scroll");
      if (!(box instanceof HTMLElement)) continue;
      if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  });
  for (const box of document.querySelectorAll(".scroll, .scroll > table")) observer.observe(box);
}
