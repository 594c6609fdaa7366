// Jobs of TimescaleDB: those that fail first.
import { get } from "./api.js";
import { breakable, byId, element, row, signElement, time, within } from "./dom.js";
import { count, duration, nothing, percent, plural } from "./format.js";
import { Panel } from "./panel.js";
import { jobState, worstFirst } from "./verdicts.js";

/** @typedef {import("./answers.js").Jobs} Jobs */

/** @returns {Panel<Jobs>} */
export function jobsPanel() {
  const root = byId("jobs");
  return new Panel({
    root,
    load: (request) => get("/jobs", request),
    empty: ({ jobs }) => (jobs.length === 0 ? "There are no jobs." : undefined),
    render: ({ jobs, failing }) => {
      within(root, ".total").textContent =
        failing === 0
          ? `${plural(jobs.length, "job")}, none failed in its last run.`
          : `${failing} of ${plural(jobs.length, "job")} failed in the last run.`;
      within(root, "tbody").replaceChildren(...worstFirst(jobs).map(rowOf));
    },
  });
}

/** @param {Jobs["jobs"][number]} job */
function rowOf(job) {
  const { sign, word } = jobState(job);
  const name = element("span", { class: "name" }, ...breakable(job.name));
  if (job.lastError) name.append(element("span", { class: "detail error" }, job.lastError));
  return row([
    name,
    signElement(sign, word),
    element("span", { class: "name" }, ...breakable(job.hypertable ?? nothing)),
    time(job.lastRun, "ago"),
    { number: duration(job.lastDurationSeconds) },
    job.scheduled ? time(job.nextStart, "ago") : nothing,
    { number: count(job.runs) },
    {
      number:
        job.failures === 0
          ? "0"
          : `${count(job.failures)} (${percent(job.failures / Math.max(1, job.runs))})`,
    },
  ]);
}
