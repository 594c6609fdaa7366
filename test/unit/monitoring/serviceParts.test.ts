// The pure parts of the monitoring service.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { UserError } from "../../../infra/errors";
import { knownParameters } from "../../../ops/monitoring/service/audit";
import {
  type DatabaseFacts,
  databaseChecks,
  type TimescaleFacts,
  timescaleChecks,
  worst,
} from "../../../ops/monitoring/service/checks";
import { readCursor, writeCursor } from "../../../ops/monitoring/service/cursor";
import { DatabaseUnavailable, unavailability } from "../../../ops/monitoring/service/database";
import { toProblem } from "../../../ops/monitoring/service/errorAnswers";
import { describeIssues, Problem, problemBody } from "../../../ops/monitoring/service/problem";
import { resolveRange } from "../../../ops/monitoring/service/range";
import { chooseResolution, type Level } from "../../../ops/monitoring/service/resolution";
import { SharedReads } from "../../../ops/monitoring/service/sharedReads";

describe("problems", () => {
  it("are what RFC 9457 says, with a name of their own", () => {
    expect(problemBody(404, "nothing", "0a")).toEqual({
      type: "about:blank",
      title: "Not found",
      status: 404,
      detail: "nothing",
      instance: "urn:uuid:0a",
    });
    expect(problemBody(418, "", "").title).toBe("Request refused");
  });

  it("of the unexpected say nothing of it", () => {
    const problem = toProblem(new Error("password authentication failed for ms5_monitor"));
    expect(problem).toMatchObject({ status: 500 });
    expect(problem.detail).not.toContain("password");
  });

  it("of who asked for what there is not say what to do", () => {
    expect(toProblem(new UserError("there is no such hypertable", { fix: "name another" }))).toMatchObject({
      status: 400,
      detail: "there is no such hypertable: name another",
    });
  });

  it("of the database say when to come again, and not where it is", () => {
    const cause = new Error("connect ECONNREFUSED 10.0.0.7:5432");
    for (const why of ["down", "slow", "busy"] as const) {
      const problem = toProblem(new DatabaseUnavailable(why, { cause }));
      expect(problem.status).toBe(503);
      expect(Number(problem.headers["retry-after"])).toBeGreaterThan(0);
      expect(problem.detail).not.toContain("10.0.0.7");
    }
  });

  it("of parameters name each of them", () => {
    expect(
      describeIssues([
        { instancePath: "/", keyword: "unrecognized_keys", params: { keys: ["a", "b".repeat(100)] } },
        { instancePath: "/points", keyword: "too_big", message: "Too big: expected number to be <=2000" },
      ]),
    ).toBe(
      `unknown parameter "a"; unknown parameter "${"b".repeat(60)}"; parameter "points": Too big: expected number to be <=2000`,
    );
  });
});

describe("an error of a query", () => {
  const error = (message: string, code?: string) =>
    Object.assign(new Error(message), code === undefined ? {} : { code });
  it.each([
    [error("Connection terminated unexpectedly"), "down"],
    [error("", "ECONNRESET"), "down"],
    [error("", "57P01"), "down"],
    [error("", "08P01"), "down"],
    [error("", "28P01"), "down"],
    [error("", "53300"), "down"],
    [error("", "57014"), "slow"],
    [error("", "42501"), undefined],
    [error("", "XX000"), undefined],
    [new Problem(404, "no such machine"), undefined],
    ["text", undefined],
  ])("%s means %s", (thrown, why) => {
    expect(unavailability(thrown)).toBe(why);
  });
});

describe("checks", () => {
  const facts: DatabaseFacts = {
    version: "17.5",
    standby: false,
    streaming: 2,
    notStreaming: 0,
    connections: 10,
    connectionsLimit: 100,
    longestTransactionSeconds: 1,
    transactionIdAge: 1_000_000,
    sizeBytes: 1,
  };
  const statusOf = (changes: Partial<DatabaseFacts>) => worst(databaseChecks({ ...facts, ...changes }));
  it.each([
    [{}, "healthy"],
    [{ connections: 79 }, "healthy"],
    [{ connections: 80 }, "degraded"],
    [{ connections: 95 }, "unhealthy"],
    [{ longestTransactionSeconds: 299 }, "healthy"],
    [{ longestTransactionSeconds: 300 }, "degraded"],
    [{ longestTransactionSeconds: 3_600 }, "unhealthy"],
    [{ transactionIdAge: 500_000_000 }, "degraded"],
    [{ transactionIdAge: 1_600_000_000 }, "unhealthy"],
    [{ notStreaming: 1 }, "degraded"],
    [{ connectionsLimit: 0 }, "healthy"],
  ] as const)("of the database with %j: %s", (changes, status) => {
    expect(statusOf(changes)).toBe(status);
  });

  const timescale: TimescaleFacts = {
    installed: { version: "2.29.2", edition: "community" },
    failing: [],
    stale: [],
    columnstoreOverdue: 0,
    retentionOverdue: 0,
    workers: true,
  };
  const timescaleStatus = (changes: Partial<TimescaleFacts>) =>
    worst(timescaleChecks({ ...timescale, ...changes }));
  it.each([
    [{}, "healthy"],
    [{ installed: undefined }, "unhealthy"],
    [{ failing: ["retention:metric_hist"] }, "degraded"],
    [{ stale: ["metric_hourly_aggregate"] }, "degraded"],
    [{ columnstoreOverdue: 1 }, "degraded"],
    [{ retentionOverdue: 1 }, "degraded"],
    // Without workers nothing runs by itself, so nothing is late.
    [{ columnstoreOverdue: 1, retentionOverdue: 1, stale: ["a"], workers: false }, "healthy"],
  ] as const)("of TimescaleDB with %j: %s", (changes, status) => {
    expect(timescaleStatus(changes)).toBe(status);
  });

  it("leave out what the Apache edition has not", () => {
    const names = timescaleChecks({ ...timescale, installed: { version: "2.19.3", edition: "apache" } }).map(
      ({ name }) => name,
    );
    expect(names).toEqual(["extension", "edition", "jobs failing"]);
  });

  it("are as bad as the worst", () => {
    expect(worst([])).toBe("healthy");
    expect(worst([{ status: "unhealthy" }, { status: "degraded" }])).toBe("unhealthy");
  });
});

describe("a cursor", () => {
  it("comes back as it went", () => {
    const cursor = { from: "2026-03-08 00:00:00.123456+00", chunk: "_hyper_1_8_chunk" };
    expect(readCursor(writeCursor(cursor))).toEqual(cursor);
  });
  it("that is anything else is none", () => {
    fc.assert(fc.property(fc.string(), (text) => readCursor(text) === undefined));
    fc.assert(
      fc.property(
        fc.jsonValue(),
        (value) => readCursor(Buffer.from(JSON.stringify(value)).toString("base64url")) === undefined,
      ),
    );
    expect(readCursor(writeCursor({ from: "now()' OR true --", chunk: "a" }))).toBeUndefined();
  });
});

describe("a range", () => {
  const newest = new Date("2026-03-10T00:00:00Z");
  const limits = { defaultDays: 1, mostDays: 400 };
  it("ends with the newest there is and is a day long, unless it is said", () => {
    expect(resolveRange({}, newest, limits)).toEqual({ from: new Date("2026-03-09T00:00:00Z"), to: newest });
    expect(resolveRange({ from: "2026-03-01T00:00:00+01:00" }, newest, limits).from).toEqual(
      new Date("2026-02-28T23:00:00Z"),
    );
  });
  it("is refused when empty or too long", () => {
    expect(() => resolveRange({ from: "2026-03-10T00:00:00Z" }, newest, limits)).toThrow("before");
    expect(() => resolveRange({ from: "2020-03-10T00:00:00Z" }, newest, limits)).toThrow("at most 400 days");
  });
});

describe("a chart's resolution", () => {
  const day = 86_400_000;
  const levels: Level[] = [
    { name: "samples", bucketSeconds: 0, keptSince: undefined },
    { name: "minute", bucketSeconds: 60, keptSince: undefined },
    { name: "hour", bucketSeconds: 3_600, keptSince: undefined },
    { name: "day", bucketSeconds: 86_400, keptSince: undefined },
  ];
  const to = new Date("2026-03-10T00:00:00Z");
  const range = (days: number) => ({ from: new Date(to.getTime() - days * day), to });

  it.each([
    [0.001, 500, "samples", 1],
    [1, 500, "minute", 300],
    [30, 500, "hour", 7_200],
    [400, 500, "day", 86_400],
  ])("of %d days in %d points: %s, %d s", (days, points, level, bucketSeconds) => {
    const chosen = chooseResolution(range(days), points, levels);
    expect(chosen).toEqual({ level, bucketSeconds });
  });

  it("goes to a coarser level where a finer one has lost the start", () => {
    const kept = levels.map((level) =>
      level.name === "samples" || level.name === "minute"
        ? { ...level, keptSince: new Date(to.getTime() - 10 * day) }
        : level,
    );
    expect(
      chooseResolution(
        { from: new Date(to.getTime() - 20 * day), to: new Date(to.getTime() - 19 * day) },
        500,
        kept,
      ),
    ).toEqual({
      level: "hour",
      bucketSeconds: 3_600,
    });
    const lost = levels.map((level) => ({ ...level, keptSince: to }));
    expect(chooseResolution(range(1), 500, lost).level).toBe("day");
  });

  it("never shows more points than were asked for, nor buckets that its level cannot give", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 * 86_400 }),
        fc.integer({ min: 0, max: 86_400 * 30 }),
        fc.integer({ min: 2, max: 2_000 }),
        (length, shift, points) => {
          const end = new Date(to.getTime() + shift * 1_000);
          const from = new Date(end.getTime() - length * 1_000);
          const { level, bucketSeconds } = chooseResolution({ from, to: end }, points, levels);
          const width = bucketSeconds * 1_000;
          const buckets = Math.ceil(end.getTime() / width) - Math.floor(from.getTime() / width);
          const own = levels.find(({ name }) => name === level)?.bucketSeconds ?? 0;
          return buckets <= points && (own === 0 || bucketSeconds % own === 0);
        },
      ),
    );
  });
});

describe("shared reads", () => {
  it("ask once for all who come meanwhile, and again when the result is old", async () => {
    let now = 0;
    let asked = 0;
    const shared = new SharedReads(64, () => now);
    const get = () => shared.get("a", 5_000, async () => ++asked);
    expect(await Promise.all([get(), get(), get()])).toEqual([1, 1, 1]);
    now = 4_999;
    expect(await get()).toBe(1);
    now = 5_000;
    expect(await get()).toBe(2);
  });

  it("tell all of a failure, and forget it", async () => {
    const shared = new SharedReads();
    let asked = 0;
    const get = () =>
      shared.get("a", 5_000, async () => {
        if (++asked === 1) throw new Error("away");
        return asked;
      });
    const both = await Promise.allSettled([get(), get()]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await get()).toBe(2);
  });

  it("keep no more results than they may", async () => {
    let asked = 0;
    const shared = new SharedReads(2);
    const get = (key: string) => shared.get(key, 5_000, async () => ++asked);
    for (const key of ["a", "b", "c"]) await get(key);
    expect(await get("c")).toBe(3);
    expect(await get("a")).toBe(4);
  });
});

it("an audit line has the parameters that the route knows, and no others", () => {
  const schema = z.strictObject({ hypertable: z.string(), limit: z.number() });
  expect(
    knownParameters({ hypertable: "x".repeat(300), token: "secret", limit: ["1", "2"] }, schema),
  ).toEqual({
    hypertable: "x".repeat(200),
    limit: "1,2",
  });
  expect(knownParameters({ a: "b" }, undefined)).toEqual({});
});
