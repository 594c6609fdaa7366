// The status page in a real Chromium, against a service whose answers the tests choose.
// Screenshots of each width and scheme go to a folder in the system's temporary one; the test says where.
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createLog } from "../../ops/log";
import { startChromium } from "./support/chromium";
import {
  degradedHealth,
  emptyAnswers,
  failedJob,
  healthyAnswers,
  troubledDatabase,
  unhealthyHealth,
  withHostileNames,
} from "./support/fakeMonitoringAnswers";
import { FakeMonitoringApi } from "./support/fakeMonitoringApi";

const pageChecks = join(import.meta.dirname, "support/pageChecks.js");
const secret = "eyJhbGciOiJFUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl";
/** Each section that asks the API for something of its own. */
const sections = [
  "health-service",
  "health-database",
  "health-timescaledb",
  "oee",
  "telemetry",
  "hypertables",
  "compression",
  "chunks",
  "forecast",
  "jobs",
  "advice-columnstore",
  "advice-chunk-interval",
];

let browser: Browser;
let api: FakeMonitoringApi;
/** What no page may ever cause: errors, violated policies, requests to elsewhere. */
let problems: string[];
/** "Failed to load resource" is Chromium's own word for an answer that a test wanted to be a refusal. */
let refusalsExpected: boolean;
let close: (() => Promise<void>)[];

beforeAll(async () => {
  browser = await startChromium(createLog({ quiet: false }));
});
afterAll(async () => {
  await browser?.close();
});
beforeEach(async () => {
  api = await FakeMonitoringApi.start();
  problems = [];
  refusalsExpected = false;
  close = [];
});
afterEach(async () => {
  for (const one of close) await one();
  await api.stop();
});

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  close.push(async () => {
    problems.push(...(await page.evaluate<string[]>("pageChecks.seen.policy")));
    await context.close();
    expect(problems).toEqual([]);
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    const refusal = message.text().startsWith("Failed to load resource");
    if (["error", "warning"].includes(message.type()) && !(refusal && refusalsExpected))
      problems.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(`${api.url}/`) && !request.url().startsWith(`blob:${api.url}/`))
      problems.push(`request to ${request.url()}`);
  });
  await page.addInitScript({ path: pageChecks });
  await page.clock.install();
  await page.goto(`${api.url}/`);
  return page;
}

/** Lets the page's clock, and the service's, jump ahead. */
async function pass(page: Page, seconds: number): Promise<void> {
  api.ahead += seconds * 1000;
  await page.clock.fastForward(seconds * 1000);
}

async function shows(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text, visible: true }).first().waitFor();
}

async function showsAll(page: Page): Promise<void> {
  for (const id of sections) await page.locator(`#${id} .content`).first().waitFor();
}

/** As it can be read. */
async function read(page: Page, selector: string): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: what is not shown must not be read
  return (await page.locator(selector).innerText()).replaceAll(/\s+/g, " ");
}

async function waitUntil(what: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(what, { timeout: 60_000, interval: 50 }).toBe(true);
}

/** No answer leaves the service until what it returns is called. */
function holdAnswers(): () => void {
  let release = () => {};
  api.gate = new Promise((resolve) => {
    release = resolve;
  });
  return () => release();
}

describe("what it says", () => {
  it("answers at a look whether data is safe, fresh, fast and affordable", async () => {
    const page = await open();
    await showsAll(page);
    expect(await read(page, "#overall-sentence")).toContain("All is well Every check passes.");
    expect(await page.title()).toBe("All is well · MS5 factory telemetry");
    expect(await read(page, "#glance-safe")).toMatch(/^Safe .*Good Database is sound 6 checks passed\.$/);
    expect(await read(page, "#glance-fresh")).toMatch(/seconds ago Newest row, in metric_hist\.$/);
    expect(await read(page, "#glance-fast")).toMatch(/Answers in /);
    expect(await read(page, "#glance-affordable")).toMatch(
      /Good 52.1 GiB in 90 days .*compression saves 92.3 %/,
    );
  });

  it("shows every section with units that people read", async () => {
    const page = await open();
    await showsAll(page);
    expect(await read(page, "#hypertables tbody tr:nth-child(1)")).toMatch(
      /^metric_hist \d+ seconds ago 34.2 GiB 60.5 million 214 \(206 compressed\) 1 day 1 Jan 2025/,
    );
    expect(await read(page, "#compression tbody tr:nth-child(2)")).toMatch(
      /^energy_consumption 87.8 % 9.8 GiB 1.2 GiB 14 days .*2 chunks$/,
    );
    expect(await read(page, "#health-database")).toContain("Size 41.3 GiB in this database");
    expect(await read(page, "#jobs .total")).toBe("5 jobs, none failed in its last run.");
    expect(await read(page, "#oee .bars tbody tr:nth-child(1)")).toBe("Lathe 1 61.3 % 79.0 % 78.0 % 99.5 %");
    expect(await read(page, "#telemetry-anomalies")).toBe("2 anomalies.");
    expect(await read(page, "#forecast .total")).toContain(
      "Tried on the past, it was wrong by 4.2 % on average.",
    );
    expect(await read(page, "#advice-chunk-interval")).toContain("30 days instead of 7 days");
    expect(await page.locator(".plot canvas").count()).toBe(3);
    const age = page.locator("#hypertables tbody time").first();
    expect(await age.getAttribute("title")).toMatch(/ · \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
  });

  it("says what needs a look, and brings failing jobs first", async () => {
    const now = Date.now();
    const healthy = healthyAnswers(now);
    api.answers = {
      ...healthy,
      "/health": degradedHealth(now),
      "/health/database": troubledDatabase,
      "/jobs": { jobs: [...healthy["/jobs"].jobs, failedJob(now)], failing: 1 },
    };
    const page = await open();
    await showsAll(page);
    expect(await read(page, "#overall-sentence")).toContain(
      "Works, but needs a look Not as it should be: jobs.",
    );
    expect(await read(page, "#glance-safe")).toContain("Bad Replication and connections");
    expect(await read(page, "#jobs tbody tr:nth-child(1)")).toMatch(
      /^refresh:oee_hourly_aggregate canceling statement due to statement timeout .*Failed/,
    );
  });

  it("takes a 503 of the health endpoint for the bad news it is", async () => {
    refusalsExpected = true;
    api.answers = { ...api.answers, "/health": unhealthyHealth(Date.now()) };
    const page = await open();
    await shows(page, "#overall-sentence", "Not healthy");
    expect(await read(page, "#overall-sentence")).toContain("Failing: database.");
    expect(await page.locator("#overall-sentence").getAttribute("aria-live")).toBe("polite");
  });

  it("explains an empty database instead of showing nothing", async () => {
    api.answers = emptyAnswers(Date.now());
    const page = await open();
    await shows(page, "#hypertables .notice", "There are no hypertables yet.");
    await shows(page, "#chunks .notice", "There are no chunks yet.");
    await shows(page, "#telemetry .notice", "There are no machines yet.");
    await shows(page, "#forecast .notice", "There is no history yet");
    await shows(page, "#jobs .notice", "There are no jobs.");
    await shows(page, "#oee .notice", "There are no values in this range.");
    expect(await read(page, "#glance-fresh")).toContain("There are no rows yet");
  });

  it("leads to where the data is when the last day has none", async () => {
    const newest = "2020-03-09T16:00:00.000Z";
    const { hypertables } = api.answers["/metrics/hypertables"];
    api.answers = {
      ...api.answers,
      "/metrics/hypertables": { hypertables: hypertables.map((one) => ({ ...one, newestRow: newest })) },
      "/telemetry": { unit: "", bucketSeconds: 60, points: [] },
    };
    const page = await open({ timezoneId: "Asia/Kolkata" });
    await shows(page, "#hypertables tbody", "years ago");
    const button = page.locator("#telemetry .notice button");
    await button.waitFor();
    const before = api.asked.length;
    await button.click();
    await waitUntil(() => api.count("/telemetry", before) === 1);
    const asked = new URLSearchParams(
      api.asked.findLast((one) => one.startsWith("/telemetry?"))?.split("?")[1],
    );
    expect(asked.get("to")).toBe("2020-03-09T16:00:01.000Z");
    expect(asked.get("from")).toBe("2020-03-02T16:00:01.000Z");
    // The field has the same moment in the browser's zone.
    expect(await page.locator("#range-to").inputValue()).toBe("2020-03-09T21:30:01");
  });
});

describe("who may see what", () => {
  it("asks for a token, keeps it in memory only, and forgets it", async () => {
    refusalsExpected = true;
    api.token = secret;
    const page = await open();
    await page.locator("#token").waitFor();
    await shows(page, "#jobs .notice", "Sign in to see this.");
    // Only the first question was asked without a token.
    expect(api.asked.filter((one) => !one.startsWith("/health"))).toEqual(["/status/timescaledb"]);

    await page.locator("#token").fill("wrong-token");
    await page.keyboard.press("Enter");
    await shows(page, "#sign-in-error", "does not accept this token");

    await page.locator("#token").fill(`Bearer ${secret}`);
    await page.keyboard.press("Enter");
    await showsAll(page);
    expect(await page.locator("#sign-in").isVisible()).toBe(false);
    const kept = await page.evaluate<string>(
      "JSON.stringify([localStorage, sessionStorage, document.cookie, location.href, history.state, document.documentElement.outerHTML, [...document.querySelectorAll('input')].map(i => i.value)])",
    );
    expect(kept).not.toContain(secret);
    expect(api.asked.join()).not.toContain(secret);

    const [file] = await Promise.all([page.waitForEvent("download"), page.locator("#export-csv").click()]);
    expect(file.suggestedFilename()).toBe("M1-temperature.csv");
    expect(await readFile(await file.path(), "utf8")).toContain("36.5");
    expect(api.asked.at(-1)).toMatch(/^\/export\?machine=M1&metric=temperature&from=.*&to=.*&format=csv$/);

    await page.locator("#sign-out").click();
    await page.locator("#token").waitFor();
    expect(await read(page, "main")).not.toContain("metric_hist");
  });

  it("says so when a token ends while the page is open", async () => {
    refusalsExpected = true;
    api.token = secret;
    const page = await open();
    await page.locator("#token").fill(secret);
    await page.keyboard.press("Enter");
    await showsAll(page);
    api.token = "another";
    await pass(page, 60);
    await shows(page, "#sign-in-error", "or not any more");
    const before = api.asked.length;
    await pass(page, 180);
    await waitUntil(() => api.count("/health", before) > 0);
    expect(api.asked.slice(before).filter((one) => !one.startsWith("/health"))).toEqual([]);
  });

  it("tells a reader plainly what needs an administrator, and does not ask for it again", async () => {
    refusalsExpected = true;
    const readers = ["/health", "/status/timescaledb", "/machines", "/telemetry", "/anomalies", "/oee"];
    api.refuse = (path) => (readers.includes(path) ? undefined : { status: 403 });
    const page = await open();
    for (const id of ["health-database", "hypertables", "compression", "chunks", "forecast", "jobs"])
      await shows(page, `#${id} .notice`, "Your role may not see this. It needs the role ms5.admin.");
    await page.locator("#telemetry canvas").waitFor();
    await page.locator("#oee canvas").waitFor();
    const before = api.asked.length;
    await pass(page, 60);
    await waitUntil(() => api.count("/oee", before) === 1 && api.count("/telemetry", before) === 1);
    expect(api.count("/jobs", before) + api.count("/metrics/chunks", before)).toBe(0);
  });
});

describe("when something is wrong", () => {
  it("keeps the last good data with its age while the service is away, and catches up when it is back", async () => {
    refusalsExpected = true;
    const page = await open();
    await showsAll(page);
    api.away = true;
    await pass(page, 60);
    await shows(page, "#overall-sentence", "The service does not answer");
    await shows(page, "#jobs .state", "No answer, data of");
    await pass(page, 120);
    await shows(page, "#jobs .state", /data of [34] minutes ago/);
    await shows(page, "#overall-since", /Last answer [34] minutes ago/);
    await shows(page, "#glance-safe", "Was: good");
    expect(await read(page, "#jobs tbody")).toContain("columnstore:metric_hist");
    api.away = false;
    const before = api.asked.length;
    await pass(page, 10);
    await shows(page, "#overall-sentence", "All is well");
    // All of it at once, not a minute later.
    await waitUntil(() => api.count("/jobs", before) === 1);
    await shows(page, "#jobs .state", "Updated just now");
    await shows(page, "#glance-safe .tile-sign", /Good$/);
  });

  it("says that the database is away, with nothing and with older data to show", async () => {
    refusalsExpected = true;
    const away = {
      status: 503,
      detail: "the database cannot be reached at the moment",
      retryAfterSeconds: 5,
    };
    api.refuse = (path) => (path === "/health" ? undefined : away);
    const page = await open();
    for (const id of sections.slice(1))
      await shows(page, `#${id} .notice`, "The database cannot be reached at the moment.");
    api.refuse = undefined;
    await pass(page, 60);
    await showsAll(page);
    api.refuse = (path) => (path === "/health" ? undefined : away);
    await pass(page, 60);
    await shows(page, "#hypertables .state", "Not available, data of");
    await page.locator("#hypertables table").waitFor();
  });

  it("asks no earlier than it is told to", async () => {
    refusalsExpected = true;
    const page = await open();
    await showsAll(page);
    api.refuse = () => ({ status: 429, retryAfterSeconds: 300 });
    await pass(page, 60);
    await shows(page, "#jobs .state", "Asked too often");
    await shows(page, "#overall-sentence", "The service asks for fewer requests.");
    api.refuse = undefined;
    const before = api.asked.length;
    for (let minute = 0; minute < 4; minute += 1) await pass(page, 60);
    expect(api.asked.slice(before)).toEqual([]);
    await pass(page, 70);
    await waitUntil(() => api.count("/jobs", before) === 1 && api.count("/health", before) > 0);
  });

  it("shows that it waits for slow answers, and the newest choice wins", async () => {
    const first = holdAnswers();
    const page = await open();
    for (const id of ["health-service", "jobs", "telemetry"]) await shows(page, `#${id} .notice`, "Loading…");
    first();
    await showsAll(page);

    const second = holdAnswers();
    await page.locator("#telemetry-machine").selectOption("M2");
    await page.locator("#telemetry-machine").selectOption("M3");
    await shows(page, "#telemetry .notice", "Loading…");
    second();
    await page.locator("#telemetry .content").waitFor();
    expect(await page.locator("#telemetry .plot").getAttribute("aria-label")).toContain("of CNC mill 3.");
    expect(await page.locator("#export-csv").getAttribute("href")).toContain("machine=M3");
  });

  it("shows a chart without its anomalies, and says when there is no file", async () => {
    refusalsExpected = true;
    api.refuse = (path) =>
      path === "/anomalies"
        ? { status: 503 }
        : path === "/export"
          ? { status: 400, detail: "6,100,000 rows are more than 5,000,000" }
          : undefined;
    const page = await open();
    await page.locator("#telemetry canvas").waitFor();
    expect(await read(page, "#telemetry-anomalies")).toBe("Anomalies are not known at the moment.");
    await page.locator("#export-parquet").click();
    await shows(
      page,
      "#export-state",
      "No file: The service refused this: 6,100,000 rows are more than 5,000,000",
    );
  });

  it("takes markup in names for the text it is", async () => {
    const hostile = `<img src=x onerror="window.hacked=1"><b>&amp;`;
    api.answers = withHostileNames(healthyAnswers(Date.now()), hostile);
    const page = await open({ viewport: { width: 360, height: 740 } });
    await showsAll(page);
    await page.locator("#telemetry .table-toggle").click();
    for (const id of ["glance-safe", "health-database", "jobs", "oee", "compression", "advice-columnstore"])
      await shows(page, `#${id}`, hostile);
    expect(await page.evaluate<unknown>("window.hacked")).toBeUndefined();
    expect(await page.locator("img, b").count()).toBe(0);
    expect(await page.evaluate<string[]>("pageChecks.stickOut()")).toEqual([]);
  });
});

describe("by itself", () => {
  it("asks for health each ten seconds and for the rest each minute, but not while the tab is hidden", async () => {
    const page = await open();
    await showsAll(page);
    let before = api.asked.length;
    for (let turn = 1; turn <= 3; turn += 1) {
      await pass(page, 10);
      await waitUntil(() => api.count("/health", before) === turn);
    }
    expect(api.count("/jobs", before)).toBe(0);
    await pass(page, 30);
    await waitUntil(() => api.count("/advice/chunk-interval", before) === 1);
    expect(api.count("/jobs", before)).toBe(1);
    // The page is no load on the database that it watches.
    expect(api.mostTogether).toBe(1);

    const hide = (hidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, "hidden", { configurable: true, value: ${hidden} }); document.dispatchEvent(new Event("visibilitychange"))`,
      );
    await showsAll(page);
    await hide(true);
    before = api.asked.length;
    for (let minute = 0; minute < 5; minute += 1) await pass(page, 60);
    expect(api.asked.slice(before)).toEqual([]);
    await hide(false);
    await waitUntil(() => api.count("/health", before) === 1 && api.count("/jobs", before) === 1);
  });

  it("catches up as soon as an unhealthy database is well again", async () => {
    refusalsExpected = true;
    const healthy = api.answers;
    api.answers = { ...healthy, "/health": unhealthyHealth(Date.now()) };
    api.refuse = (path) => (path === "/health" ? undefined : { status: 503, retryAfterSeconds: 5 });
    const page = await open();
    await shows(page, "#jobs .notice", "The service cannot answer at the moment.");
    await shows(page, "#overall-sentence", "Not healthy");
    api.answers = healthy;
    api.refuse = undefined;
    await pass(page, 10);
    await showsAll(page);
  });

  it("moves nothing when new answers come, and takes nobody's place on the page", async () => {
    const page = await open();
    await showsAll(page);
    const places =
      "JSON.stringify([...document.querySelectorAll('main section, main h2')].map((one) => one.offsetTop))";
    await page.locator("#oee-machine").focus();
    await page.evaluate("window.scrollTo(0, 900)");
    await page.waitForTimeout(300);
    const before = await page.evaluate<string>(places);
    // https://web.dev/articles/cls: what counts as good, and here it is counted from the first byte on.
    const shifts = await page.evaluate<number>("pageChecks.seen.shifts");
    expect(shifts).toBeLessThan(0.1);
    const asked = api.asked.length;
    await pass(page, 60);
    await waitUntil(() => api.count("/metrics/chunks", asked) === 1);
    await shows(page, "#chunks .state", "Updated just now");
    await page.waitForTimeout(300);
    expect(await page.evaluate<string>(places)).toBe(before);
    // A word that grows within its line, such as an age, is all there may be.
    expect((await page.evaluate<number>("pageChecks.seen.shifts")) - shifts).toBeLessThan(0.001);
    expect(await page.evaluate<string>("document.activeElement.id")).toBe("oee-machine");
  });
});

describe("by keyboard alone", () => {
  it("begins with a way past the navigation, and reaches everything with a visible focus", async () => {
    const page = await open();
    await showsAll(page);
    await page.keyboard.press("Tab");
    expect(await page.evaluate<string>("document.activeElement.textContent")).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate<string>("document.activeElement.id")).toBe("main");
    const reached: string[] = [];
    for (let step = 0; step < 60; step += 1) {
      await page.keyboard.press("Tab");
      const [id, outline] = await page.evaluate<[string, string]>(
        `(() => { const it = document.activeElement; const style = getComputedStyle(it); return [it.id || it.className || it.tagName, style.outlineStyle === "none" ? "none" : style.outlineWidth]; })()`,
      );
      if (id === "BODY") break;
      expect(`${id} ${outline}`).toBe(`${id} 3px`);
      reached.push(id);
    }
    for (const id of [
      "range-choice",
      "oee-more",
      "oee-machine",
      "telemetry-machine",
      "telemetry-metric",
      "export-csv",
      "export-parquet",
      "chunks-hypertable",
      "chunks-next",
    ])
      expect(reached).toContain(id);
    expect(reached.filter((id) => id === "plot")).toHaveLength(3);
    expect(reached.filter((id) => id.startsWith("table-toggle"))).toHaveLength(3);
  });

  it("reads a chart with the arrow keys, and as a table", async () => {
    const page = await open();
    await showsAll(page);
    await page.locator("#telemetry .plot").focus();
    await page.keyboard.press("End");
    await shows(page, "#telemetry-readout", "from");
    const last = await read(page, "#telemetry-readout");
    expect(last).toMatch(/: [\d.]+ °C, from [\d.]+ °C to [\d.]+ °C\.$/);
    await page.keyboard.press("ArrowLeft");
    await waitUntil(async () => (await read(page, "#telemetry-readout")) !== last);
    await page.keyboard.press("ArrowRight");
    await waitUntil(async () => (await read(page, "#telemetry-readout")) === last);

    const toggle = page.locator("#telemetry .table-toggle");
    await toggle.focus();
    await page.keyboard.press("Enter");
    expect(await toggle.getAttribute("aria-expanded")).toBe("true");
    expect(await page.locator("#telemetry-table tbody tr").count()).toBe(269);
    expect(await read(page, "#telemetry-table")).toContain("59.6 °C, expected 41.2 °C");
    await page.keyboard.press("Enter");
    expect(await page.locator("#telemetry-table").isVisible()).toBe(false);
  });

  it("turns the pages of chunks and stays on the button", async () => {
    const page = await open();
    await showsAll(page);
    await page.locator("#chunks-next").focus();
    await page.keyboard.press("Enter");
    await shows(page, "#chunks-page", "Page 2");
    expect(await page.locator("#chunks tbody tr").count()).toBe(33);
    expect(await page.locator("#chunks-next").getAttribute("aria-disabled")).toBe("true");
    await page.keyboard.press("Enter");
    expect(await page.evaluate<string>("document.activeElement.id")).toBe("chunks-next");
    await page.locator("#chunks-previous").focus();
    await page.keyboard.press("Enter");
    await shows(page, "#chunks-page", "Page 1");
    expect(api.count("/metrics/chunks")).toBe(3);
  });

  it("refuses a range that makes no sense, at the field, without asking", async () => {
    const page = await open();
    await showsAll(page);
    await page.locator("#range-choice").selectOption("custom");
    await page.locator("#range-from").fill("2026-01-02T00:00:00");
    await page.locator("#range-to").fill("2026-01-01T00:00:00");
    const before = api.asked.length;
    await page.locator("#range-to").press("Enter");
    await shows(page, "#range-error", "The first moment must be before the last.");
    expect(await page.evaluate<string>("document.activeElement.id")).toBe("range-from");
    expect(await page.locator("#range-from").getAttribute("aria-invalid")).toBe("true");
    expect(api.count("/oee", before)).toBe(0);
    await page.locator("#range-to").fill("2026-03-01T00:00:00");
    await page.locator("#range-to").press("Enter");
    await waitUntil(() => api.count("/oee", before) === 1 && api.count("/telemetry", before) === 1);
    await shows(page, "#oee-cut", "Shown are the last 31 days");
    expect(await page.locator("#range-from").getAttribute("aria-invalid")).toBe("false");
  });
});

describe("for every screen", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ms5-page-screenshots-"));
    createLog({ quiet: false }).info(`Screenshots of the page: ${folder}`);
  });

  const looks = [360, 1280].flatMap((width) =>
    (["light", "dark"] as const).flatMap((scheme) => [{ width, scheme }]),
  );

  it.each(looks)("fits $width px in $scheme, with enough contrast and names for everything", async (look) => {
    const { width, scheme } = look;
    const now = Date.now();
    const page = await open({
      viewport: { width, height: 900 },
      colorScheme: scheme,
      reducedMotion: "reduce",
    });
    const states = {
      healthy: healthyAnswers(now),
      troubled: {
        ...healthyAnswers(now),
        "/health": degradedHealth(now),
        "/health/database": troubledDatabase,
        "/jobs": { jobs: [failedJob(now)], failing: 1 },
      },
      empty: emptyAnswers(now),
    };
    for (const [name, answers] of Object.entries(states)) {
      api.answers = answers;
      await page.reload();
      await shows(page, "#advice-chunk-interval .state", "Updated");
      await shows(page, "#chunks .state", "Updated");
      for (const toggle of await page.locator(".table-toggle:visible, summary:visible").all())
        await toggle.click();
      const { looked, failures } = await page.evaluate<{ looked: number; failures: string[] }>(
        "pageChecks.contrastFailures()",
      );
      expect(looked).toBeGreaterThan(60);
      expect(failures).toEqual([]);
      expect(await page.evaluate<string[]>("pageChecks.accessibilityProblems()")).toEqual([]);
      expect(await page.evaluate<string[]>("pageChecks.stickOut()")).toEqual([]);
      expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(width);
      await page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage: true });
    }
    expect(await page.evaluate<string>("getComputedStyle(document.documentElement).scrollBehavior")).toBe(
      "auto",
    );
  });

  it("draws its charts anew in the other scheme's colours", async () => {
    const page = await open({ colorScheme: "light" });
    await showsAll(page);
    const pixels = "document.querySelector('#telemetry canvas').toDataURL()";
    const light = await page.evaluate<string>(pixels);
    await page.emulateMedia({ colorScheme: "dark" });
    await waitUntil(async () => (await page.evaluate<string>(pixels)) !== light);
  });
});
