// The page: what is asked when, and who is told.
import { chunkIntervalAdvicePanel, columnstoreAdvicePanel } from "./advice.js";
import { get } from "./api.js";
import { chunksPanel } from "./chunks.js";
import { compressionPanel } from "./compression.js";
import { byId, element, refreshTimes, watchScrolling } from "./dom.js";
import { Failure } from "./failures.js";
import { forecastPanel } from "./forecast.js";
import { renderGlance } from "./glance.js";
import { checksPanel, healthPanel, renderSentence } from "./health.js";
import { hypertablesPanel } from "./hypertables.js";
import { jobsPanel } from "./jobs.js";
import { oeePanel } from "./oee.js";
import { Refresher } from "./refresher.js";
import { signIn } from "./signIn.js";
import { telemetryPanel } from "./telemetry.js";
import { timeRange } from "./timeRange.js";
import { largestFirst, newestRow } from "./verdicts.js";

const healthSeconds = 10;
const restSeconds = 60;
/** Words such as "just now" change by the second at first. */
const wordsMilliseconds = 5000;

/** @type {import("./glance.js").Known} */
const known = {};
let serviceIsAway = false;
let wasInTrouble = false;

/**
 * @template {keyof import("./glance.js").Known} K
 * @param {K} name
 * @returns {(answer: import("./glance.js").Known[K]) => void}
 */
const learn = (name) => (answer) => {
  known[name] = answer;
  renderGlance(known, serviceIsAway);
};

const range = timeRange(() => {
  for (const panel of [oee, telemetry]) {
    panel.forget();
    void refresh(panel, true);
  }
});

const health = healthPanel(learn("health"));
const chunks = chunksPanel();
const oee = oeePanel(range.current, noValues);
const telemetry = telemetryPanel(range.current, noValues);
const hypertables = hypertablesPanel((answer) => {
  const first = known.hypertables === undefined;
  learn("hypertables")(answer);
  if (answer === undefined) return;
  chunks.offer(largestFirst(answer.hypertables).map(({ name }) => name));
  // Where there are no values, it is known now where there are.
  if (first) for (const panel of [oee, telemetry]) panel.redraw();
});

/** @type {readonly import("./panel.js").Panel<any>[]} */
const independent = [
  checksPanel("health-database", "/health/database", learn("database")),
  checksPanel("health-timescaledb", "/health/timescaledb", () => {}),
  oee,
  telemetry,
  compressionPanel(learn("compression")),
  forecastPanel(learn("forecast")),
  jobsPanel(),
  columnstoreAdvicePanel(),
  chunkIntervalAdvicePanel(),
];

/** All but health: what needs a sign-in. */
const panels = [...independent, hypertables, chunks.panel];

const surroundings = {
  now: () => performance.now(),
  hidden: () => document.hidden,
  later: (/** @type {() => void} */ run, /** @type {number} */ wait) => setTimeout(run, wait),
  cancel: (/** @type {any} */ timer) => clearTimeout(timer),
};

const session = signIn(() => {
  for (const panel of panels) panel.forget();
  restLoop.start();
});

const healthLoop = new Refresher(
  async () => {
    const failure = await health.refresh();
    renderSentence(health.data, failure);
    serviceIsAway = failure?.kind === "away";
    const inTrouble = serviceIsAway || health.data?.status === "unhealthy";
    // Back again: the rest need not wait for its turn.
    if (wasInTrouble && !inTrouble) restLoop.now();
    wasInTrouble = inTrouble;
    renderGlance(known, serviceIsAway);
    return failure?.retryAfterSeconds ?? 0;
  },
  healthSeconds,
  surroundings,
);

const restLoop = new Refresher(
  async () => {
    // One question first: without a sign-in the others would all be refused.
    const refused = await identify();
    if (refused !== undefined) return refused.retryAfterSeconds;
    const failures = await Promise.all([refreshChunks(), ...independent.map((panel) => refresh(panel))]);
    renderGlance(known, serviceIsAway);
    return Math.max(0, ...failures.map((failure) => failure?.retryAfterSeconds ?? 0));
  },
  restSeconds,
  surroundings,
);

/** @returns {Promise<Failure | undefined>} why nobody else needs to ask */
async function identify() {
  try {
    renderStatus(await get("/status/timescaledb"));
    session.accepted();
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.kind === "signIn") {
      askToSignIn();
      return error;
    }
    // A role that may not see this may see something else: each part of the page finds out itself.
    if (error.kind === "forbidden" || error.kind === "refused") return undefined;
    for (const panel of panels) panel.fail(error);
    return error;
  }
}

/**
 * @param {import("./panel.js").Panel<any>} panel
 * @param {boolean} [urgent]
 */
async function refresh(panel, urgent) {
  const failure = await panel.refresh(urgent);
  if (failure?.kind === "signIn") askToSignIn();
  return failure;
}

/** The list of hypertables first: only then it is known whose chunks can be asked for. */
async function refreshChunks() {
  const failure = await refresh(hypertables);
  if (failure === undefined) return refresh(chunks.panel);
  chunks.panel.fail(failure);
  return failure;
}

function askToSignIn() {
  session.ask();
  restLoop.stop();
  lock();
}

function lock() {
  for (const panel of panels) panel.lock();
  byId("installed").textContent = "";
}

/** @param {import("./answers.js").TimescaleStatus} status */
function renderStatus({ version, edition }) {
  const words = version === null ? "without TimescaleDB" : `TimescaleDB ${version}`;
  byId("installed").textContent = edition === null ? words : `${words}, ${edition} edition`;
}

/** Data of the past is no reason for an empty page: one step leads to it. */
function noValues() {
  const words = element("span", {}, "There are no values in this range. ");
  const newest = newestRow(known.hypertables?.hypertables ?? []);
  if (newest === undefined) return words;
  const button = element("button", { type: "button" }, "Show the week of the newest row");
  button.addEventListener("click", () => range.showWeekUntil(newest.at));
  words.append(button);
  return words;
}

document.addEventListener("visibilitychange", () => {
  healthLoop.visibilityChanged();
  restLoop.visibilityChanged();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const panel of panels) panel.redraw();
});
setInterval(() => {
  refreshTimes();
  renderGlance(known, serviceIsAway);
}, wordsMilliseconds);

watchScrolling();
renderGlance(known, serviceIsAway);
healthLoop.start();
restLoop.start();
