// A part of the page that shows one answer: waiting for it, showing it, or saying why there is none.

import { now } from "./clock.js";
import { element, time, within } from "./dom.js";
import { awayFailure, Failure, signInFailure } from "./failures.js";

/**
 * @template T
 * @typedef {object} PanelParts
 * @property {HTMLElement} root has a .state, a .notice and a .content
 * @property {(request: import("./api.js").RequestOptions) => Promise<T>} load throws Failure
 * @property {(data: T) => void} render fills the content
 * @property {(data: T) => import("./dom.js").Content | undefined} [empty] what to say instead when there is nothing to show
 * @property {(data: T | undefined) => void} [changed] undefined: forgotten
 */

/** @template T */
export class Panel {
  /** @type {T | undefined} */
  #data;
  /** @type {string | undefined} when that was */
  #at;
  /** Asking again would only add to the audit log. */
  #forbidden = false;
  /** @type {AbortController | undefined} */
  #request;

  /** @param {PanelParts<T>} parts */
  constructor(parts) {
    this.parts = parts;
    this.state = within(parts.root, ".state");
    this.notice = within(parts.root, ".notice");
    this.content = within(parts.root, ".content");
  }

  get data() {
    return this.#data;
  }

  /**
   * Asks again. What is shown stays until the answer is there.
   * @param {boolean} [urgent] somebody waits for it
   * @returns {Promise<Failure | undefined>} why there is no new answer
   */
  async refresh(urgent = false) {
    if (this.#forbidden) return undefined;
    this.#request?.abort();
    const request = new AbortController();
    this.#request = request;
    this.parts.root.setAttribute("aria-busy", "true");
    if (this.#data === undefined) this.#wait();
    try {
      const data = await this.parts.load({ signal: request.signal, urgent });
      if (this.#request === request) this.#show(data);
      return undefined;
    } catch (error) {
      if (this.#request !== request) return undefined;
      const failure = error instanceof Failure ? error : this.#unexpected(error);
      this.fail(failure);
      return failure;
    } finally {
      if (this.#request === request) this.parts.root.removeAttribute("aria-busy");
    }
  }

  /** For what was chosen before: not to be shown beside what is chosen now. */
  forget() {
    this.#request?.abort();
    this.#request = undefined;
    this.#data = undefined;
    this.#at = undefined;
    this.#forbidden = false;
    this.parts.changed?.(undefined);
    this.#wait();
  }

  /** Nobody is signed in. */
  lock() {
    this.forget();
    this.fail(signInFailure());
  }

  /** What is shown, drawn again: for other colours, another choice of the same data, other advice where there is none. */
  redraw() {
    if (this.#data !== undefined) this.#draw(this.#data);
  }

  /** @param {T} data */
  #show(data) {
    this.#data = data;
    this.#at = new Date(now()).toISOString();
    this.#draw(data);
    this.state.classList.remove("stale");
    this.state.replaceChildren("Updated ", time(this.#at, "ago"));
    this.parts.changed?.(data);
  }

  /** @param {T} data */
  #draw(data) {
    const empty = this.parts.empty?.(data);
    if (empty !== undefined) {
      this.#say(empty);
      return;
    }
    this.notice.hidden = true;
    this.content.hidden = false;
    this.parts.render(data);
  }

  /** @param {Failure} failure */
  fail(failure) {
    this.#forbidden = failure.kind === "forbidden";
    if (this.#data === undefined || this.#forbidden) {
      this.#data = undefined;
      this.#say(failure.message);
      this.state.replaceChildren();
      this.parts.changed?.(undefined);
      return;
    }
    this.state.classList.add("stale");
    this.state.replaceChildren(
      element("span", { class: "shape", "aria-hidden": "true" }, "!"),
      ` ${failure.brief}, data of `,
      time(this.#at, "ago"),
    );
  }

  /** With as much room as what is to come will take. */
  #wait() {
    this.#say("Loading…");
    this.notice.classList.remove("settled");
    this.state.replaceChildren();
  }

  /** @param {import("./dom.js").Content} words */
  #say(words) {
    this.notice.replaceChildren(element("p", {}, words));
    this.notice.classList.add("settled");
    this.notice.hidden = false;
    this.content.hidden = true;
  }

  /** An answer that is not shaped as agreed: a defect, for the console; for people, it is no answer. @param {unknown} error */
  #unexpected(error) {
    console.error(error);
    return awayFailure(false);
  }
}
