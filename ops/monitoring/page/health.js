// Health: the sentence at the top of the page, and the checks it is made of.
import { get } from "./api.js";
import { learnTime, now } from "./clock.js";
import { byId, element, signElement, time, within } from "./dom.js";
import { Panel } from "./panel.js";
import { checkDetail, checkName, overall, signOf } from "./verdicts.js";

/** @typedef {import("./answers.js").Checks} Checks */

/**
 * @param {(health: import("./answers.js").Health | undefined) => void} changed
 * @returns {Panel<import("./answers.js").Health>}
 */
export function healthPanel(changed) {
  const root = byId("health-service");
  return new Panel({
    root,
    load: async (request) => {
      const health = await get("/health", request);
      learnTime(health.at);
      return health;
    },
    render: (health) => {
      renderChecks(root, health.checks);
      byId("version").textContent = `Monitoring service ${health.version}`;
    },
    changed,
  });
}

/**
 * @param {string} id
 * @param {"/health/database" | "/health/timescaledb"} path
 * @param {(checks: Checks | undefined) => void} changed
 * @returns {Panel<Checks>}
 */
export function checksPanel(id, path, changed) {
  const root = byId(id);
  return new Panel({
    root,
    load: (request) => get(path, request),
    render: ({ checks }) => renderChecks(root, checks),
    empty: ({ checks }) => (checks.length === 0 ? "No checks were made." : undefined),
    changed,
  });
}

/** What the sentence was: read out again only when it is another. */
let said = "";
/** @type {string | undefined} the last answer's moment */
let lastAnswer;

/**
 * @param {import("./answers.js").Health | undefined} health the last good one
 * @param {import("./failures.js").Failure | undefined} failure why there is no newer one
 */
export function renderSentence(health, failure) {
  if (failure === undefined) lastAnswer = new Date(now()).toISOString();
  const verdict = failure === undefined && health !== undefined ? overall(health) : away(failure);
  byId("overall").className = `overall overall-${verdict.sign}`;
  byId("overall-since").replaceChildren(
    ...(lastAnswer === undefined ? ["No answer yet."] : ["Last answer ", time(lastAnswer, "ago"), "."]),
  );
  const words = `${verdict.headline}. ${verdict.why}`;
  if (words === said) return;
  said = words;
  byId("overall-sentence").replaceChildren(
    signElement(verdict.sign, verdict.headline),
    element("span", { class: "overall-why" }, verdict.why),
  );
  document.title = `${verdict.headline} · MS5 factory telemetry`;
}

/**
 * @param {import("./failures.js").Failure | undefined} failure
 * @returns {import("./verdicts.js").Verdict}
 */
function away(failure) {
  if (failure?.kind === "busy")
    return { sign: "unknown", headline: "Health is not known", why: "The service asks for fewer requests." };
  return {
    sign: "bad",
    headline: failure?.kind === "away" ? "The service does not answer" : "Health is not known",
    why: lastAnswer === undefined ? "Trying again." : "Shown is the last known state.",
  };
}

/**
 * @param {HTMLElement} root
 * @param {Checks["checks"]} checks
 */
function renderChecks(root, checks) {
  within(root, ".content").replaceChildren(
    element(
      "ul",
      { class: "checks" },
      ...checks.map((check) => {
        const detail = checkDetail(check);
        return element(
          "li",
          {},
          element(
            "div",
            {},
            element("strong", {}, checkName(check.name)),
            ...(detail === undefined ? [] : [element("span", { class: "detail" }, detail)]),
          ),
          signElement(signOf(check.status)),
        );
      }),
    ),
  );
}
