import { describe, expect, it } from "vitest";
import type { Forecast, Health, Hypertable, Job } from "../../../ops/monitoring/page/answers";
import {
  affordable,
  checkDetail,
  checkName,
  fast,
  fresh,
  jobState,
  overall,
  safe,
  worst,
  worstFirst,
} from "../../../ops/monitoring/page/verdicts.js";

const now = Date.parse("2026-03-01T12:00:00Z");
const day = 86_400_000;
const GiB = 2 ** 30;
const plain = (text: string) => text.replaceAll("\u00a0", " ");

const health = (status: Health["status"], checks: Health["checks"]): Health => ({
  status,
  checks,
  at: new Date(now).toISOString(),
  version: "1",
});

describe("the overall sentence", () => {
  it.each([
    [health("healthy", [{ name: "database", status: "healthy" }]), "good", "Every check passes."],
    [health("degraded", [{ name: "jobs", status: "degraded" }]), "look", "Not as it should be: jobs."],
    [
      health("unhealthy", [
        { name: "database", status: "unhealthy" },
        { name: "timescaledb", status: "degraded" },
      ]),
      "bad",
      "Failing: database and TimescaleDB.",
    ],
    [health("degraded", []), "look", "See the checks."],
  ])("%#", (answer, sign, why) => {
    expect(overall(answer)).toMatchObject({ sign, why });
  });
});

it("takes the worst of checks, and nothing for not known", () => {
  expect(worst([{ status: "healthy" }, { status: "degraded" }])).toBe("look");
  expect(worst([{ status: "unhealthy" }, { status: "degraded" }])).toBe("bad");
  expect(worst([{ status: "healthy" }])).toBe("good");
  expect(worst([])).toBe("unknown");
});

describe("safe", () => {
  const known = health("degraded", [
    { name: "database", status: "healthy" },
    { name: "jobs", status: "degraded" },
  ]);

  it("goes by the public check where nobody may see more", () => {
    expect(safe(known, undefined).sign).toBe("good");
    expect(plain(safe(known, undefined).why)).toBe("1 public check passed.");
    expect(safe(undefined, undefined).sign).toBe("unknown");
  });

  it("goes by the administrator's checks where they are known", () => {
    const verdict = safe(known, {
      status: "degraded",
      checks: [
        { name: "connects", status: "healthy" },
        { name: "long_transactions", status: "degraded" },
      ],
    });
    expect(verdict).toMatchObject({ sign: "look", headline: "long transactions" });
    expect(plain(verdict.why)).toBe("1 of 2 checks not as it should be.");
  });
});

describe("fresh", () => {
  const table = (name: string, newestRow: string | null): Hypertable => ({
    name,
    kind: "table",
    rows: 1,
    sizeBytes: 1,
    chunks: 1,
    columnChunks: 0,
    chunkIntervalSeconds: 3600,
    oldest: null,
    newest: null,
    newestRow,
  });
  const old = table("old", "2020-01-01T00:00:00Z");

  it.each([
    [now - 299_000, "good"],
    [now - 301_000, "look"],
    [now - 3_599_000, "look"],
    [now - 3_601_000, "bad"],
    [now + 299_000, "good"],
    [now + 301_000, "look"],
  ])("%#: %d is %s", (at, sign) => {
    const verdict = fresh([old, table("metric_hist", new Date(at).toISOString()), old], now);
    expect(verdict.sign).toBe(sign);
    expect(verdict.why).toContain("metric_hist");
  });

  it("does not take what nobody may see for no rows", () => {
    expect(fresh([table("metric_hist", null)], now).sign).toBe("unknown");
    expect(fresh(undefined, now).sign).toBe("unknown");
  });
});

describe("fast", () => {
  it.each([
    [[], "unknown"],
    [[499, 9000, 20], "good"],
    [[501, 501, 501], "look"],
    [[2001, 2001, 1], "bad"],
  ])("%j is %s", (waits, sign) => {
    expect(fast(waits).sign).toBe(sign);
  });
});

describe("affordable", () => {
  const compression = { hypertables: [], totals: { beforeBytes: 10, afterBytes: 1, savedRatio: 0.9 } };
  const forecast = (more: Partial<Forecast>): Forecast => ({
    history: [{ at: new Date(now).toISOString(), bytes: 12 * GiB }],
    forecast: [
      { at: new Date(now + 90 * day).toISOString(), bytes: 20 * GiB, low: 18 * GiB, high: 22 * GiB },
    ],
    fullAt: null,
    error: { mape: 0.05 },
    method: "",
    ...more,
  });
  const fullIn = (days: number) => forecast({ fullAt: new Date(now + days * day).toISOString() });

  it.each([
    [fullIn(91), "good", "Disk full in 2 months"],
    [fullIn(89), "look", "Disk full in 2 months"],
    [fullIn(29), "bad", "Disk full in 29 days"],
    [fullIn(-1), "bad", "Disk is full"],
    [forecast({ volumeBytes: 128 * GiB }), "good", "20 GiB in 90 days"],
    [forecast({}), "unknown", "20 GiB in 90 days"],
    [forecast({ volumeBytes: GiB, forecast: [] }), "unknown", "Growth not known"],
    [forecast({ history: [] }), "unknown", "Not known"],
    [undefined, "unknown", "Not known"],
  ])("%#: %s", (answer, sign, headline) => {
    const verdict = affordable(answer, compression, now);
    expect({ sign: verdict.sign, headline: plain(verdict.headline) }).toEqual({ sign, headline });
    expect(plain(verdict.why)).toContain("compression saves 90.0 %");
  });
});

describe("jobs", () => {
  const job = (id: number, more: Partial<Job>): Job => ({
    id,
    name: `job ${id}`,
    proc: "policy_retention",
    hypertable: null,
    scheduled: true,
    lastRun: null,
    lastStatus: "Success",
    lastDurationSeconds: 1,
    nextStart: null,
    runs: 1,
    failures: 0,
    ...more,
  });

  it("come failing first, then paused, then never run", () => {
    const jobs = [
      job(1, {}),
      job(2, { lastStatus: null }),
      job(3, { scheduled: false }),
      job(4, { lastStatus: "Failed", scheduled: false }),
      job(5, { name: "a" }),
    ];
    expect(worstFirst(jobs).map(({ id }) => id)).toEqual([4, 3, 2, 5, 1]);
  });

  it.each([
    ["success", "good"],
    ["failed", "bad"],
    ["Something new", "unknown"],
  ])("with last status %s are %s", (lastStatus, sign) => {
    expect(jobState(job(1, { lastStatus })).sign).toBe(sign);
  });
});

it("writes checks as people do", () => {
  expect(checkName("long_transactions")).toBe("long transactions");
  expect(checkName("timescaledb")).toBe("TimescaleDB");
  const size = { name: "size", status: "healthy" as const, detail: "bytes of this database", value: 2 * GiB };
  expect(plain(checkDetail(size) ?? "")).toBe("2 GiB in this database");
  expect(checkDetail({ name: "connects", status: "healthy", detail: "" })).toBeUndefined();
});
