// Asks again and again: at once, then some time after each answer; not while the tab is hidden.

/**
 * What it needs of a browser; tests give their own.
 * @typedef {object} Surroundings
 * @property {() => number} now milliseconds
 * @property {() => boolean} hidden
 * @property {(run: () => void, milliseconds: number) => unknown} later
 * @property {(timer: unknown) => void} cancel
 */

export class Refresher {
  /** @type {unknown} */
  #timer;
  #running = false;
  #again = false;
  #stopped = true;
  /** When the next run is due. */
  #due = 0;

  /**
   * @param {() => Promise<number>} run answers how many seconds it must not be asked again at least
   * @param {number} everySeconds
   * @param {Surroundings} surroundings
   */
  constructor(run, everySeconds, surroundings) {
    this.run = run;
    this.everySeconds = everySeconds;
    this.surroundings = surroundings;
  }

  start() {
    this.#stopped = false;
    this.#due = 0;
    this.#plan();
  }

  stop() {
    this.#stopped = true;
    this.surroundings.cancel(this.#timer);
  }

  /** Now, whenever it is due; right after a run that is under way. */
  now() {
    this.#due = 0;
    if (this.#running) this.#again = true;
    else this.#plan();
  }

  /** To be called when the tab is hidden or shown again. */
  visibilityChanged() {
    if (!this.#running) this.#plan();
  }

  #plan() {
    const { now, hidden, later, cancel } = this.surroundings;
    cancel(this.#timer);
    if (this.#stopped || hidden()) return;
    const wait = this.#due - now();
    if (wait <= 0) void this.#go();
    else this.#timer = later(() => void this.#go(), wait);
  }

  async #go() {
    if (this.#running) return;
    this.#running = true;
    let restSeconds = 0;
    try {
      restSeconds = await this.run();
    } finally {
      // Also after an error that nobody foresaw: the next time it may go well.
      this.#running = false;
      const wait = Math.max(this.#again ? 0 : this.everySeconds, restSeconds);
      this.#again = false;
      this.#due = this.surroundings.now() + wait * 1000;
      this.#plan();
    }
  }
}
