// One thing after another: the page must be no load on the database that it watches. Pure.

export class Turns {
  /** @type {(() => Promise<void>)[]} */
  #waiting = [];
  #busy = false;

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @param {boolean} [first] before all that wait already
   * @returns {Promise<T>} what `work` becomes, when its turn has come
   */
  take(work, first = false) {
    return new Promise((resolve, reject) => {
      const turn = () => work().then(resolve, reject);
      if (first) this.#waiting.unshift(turn);
      else this.#waiting.push(turn);
      void this.#next();
    });
  }

  async #next() {
    if (this.#busy) return;
    this.#busy = true;
    for (let turn = this.#waiting.shift(); turn !== undefined; turn = this.#waiting.shift()) await turn();
    this.#busy = false;
  }
}
