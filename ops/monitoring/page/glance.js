// The four answers at the top: is data safe, fresh, fast, affordable?
import { waits } from "./api.js";
import { now } from "./clock.js";
import { byId, signElement, within } from "./dom.js";
import { affordable, fast, fresh, safe, signWords } from "./verdicts.js";

/**
 * What the answers come from, as far as it is known.
 * @typedef {object} Known
 * @property {import("./answers.js").Health} [health]
 * @property {import("./answers.js").Checks} [database]
 * @property {import("./answers.js").Hypertables} [hypertables]
 * @property {import("./answers.js").Compression} [compression]
 * @property {import("./answers.js").Forecast} [forecast]
 */

/**
 * @param {Known} known
 * @param {boolean} stale the service does not answer: it is how things were
 */
export function renderGlance(known, stale) {
  const moment = now();
  show("glance-safe", safe(known.health, known.database), stale);
  show("glance-fresh", fresh(known.hypertables?.hypertables, moment), stale);
  show("glance-fast", fast(waits()), stale);
  show("glance-affordable", affordable(known.forecast, known.compression, moment), stale);
}

/**
 * @param {string} id
 * @param {import("./verdicts.js").Verdict} verdict
 * @param {boolean} stale
 */
function show(id, { sign, headline, why }, stale) {
  const tile = byId(id);
  tile.className = `tile tile-${stale ? "unknown" : sign}`;
  within(tile, ".tile-sign").replaceChildren(
    stale && sign !== "unknown"
      ? signElement("unknown", `Was: ${signWords[sign].toLowerCase()}`)
      : signElement(sign),
  );
  within(tile, ".tile-headline").textContent = headline;
  within(tile, ".tile-why").textContent = why;
}
