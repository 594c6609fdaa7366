import { describe, expect, it } from "vitest";
import { age } from "../../../ops/monitoring/advice/age";
import { type Aggregate, dependentsOf } from "../../../ops/monitoring/advice/dependents";
import { durations, failingSince, type Run } from "../../../ops/monitoring/advice/jobs";

const day = 86_400;
const deleted = { from: 100 * day, to: 110 * day };
const minute: Aggregate = {
  name: "minute",
  source: "metric_hist",
  bucketSeconds: 60,
  realtime: true,
  materialisedUntil: 200 * day,
  refreshStartSeconds: 3 * day,
};
const hour: Aggregate = { ...minute, name: "hour", source: "minute", bucketSeconds: 3_600 };

describe("dependents of what is deleted", () => {
  it("keep what they have stored, and those above them too", () => {
    const found = dependentsOf("metric_hist", deleted, 30 * day, [minute, hour]);
    expect(found.map(({ aggregate, holds, loses }) => [aggregate.name, holds, loses])).toEqual([
      ["minute", deleted, null],
      ["hour", deleted, null],
    ]);
    expect(found[0]?.explanation).toBe("keeps all of it; a refresh by hand over that time would erase it");
  });

  it("lose what they have not stored; above, only what neither has", () => {
    const found = dependentsOf("metric_hist", deleted, 30 * day, [
      { ...minute, materialisedUntil: 104 * day },
      { ...hour, materialisedUntil: 106 * day },
    ]);
    expect(found[0]).toMatchObject({
      holds: { from: 100 * day, to: 104 * day },
      loses: { from: 104 * day, to: 110 * day },
    });
    expect(found[1]).toMatchObject({
      holds: { from: 104 * day, to: 106 * day },
      loses: { from: 106 * day, to: 110 * day },
    });
  });

  it("have nothing when nothing was ever stored, and say so when nobody may look", () => {
    const never = { ...minute, materialisedUntil: Number.NEGATIVE_INFINITY, realtime: false };
    expect(dependentsOf("metric_hist", deleted, day, [never])[0]).toMatchObject({
      holds: null,
      loses: deleted,
      explanation: expect.stringContaining("has not stored any of it: it would never get it"),
    });
    const hidden = dependentsOf("metric_hist", deleted, day, [{ ...minute, materialisedUntil: null }])[0];
    expect(hidden).toMatchObject({ holds: null, loses: null });
    expect(hidden?.explanation).toContain("isn't known");
  });

  it.each([
    [3 * day, 4 * day, false],
    [3 * day, 3 * day, false],
    [3 * day, 2 * day, true],
    [null, 1_000 * day, true],
    [undefined, 1, false],
  ])("a refresh that looks back %s with %s kept erases: %s", (refreshStartSeconds, keep, erases) => {
    const found = dependentsOf("metric_hist", deleted, keep, [{ ...minute, refreshStartSeconds }]);
    expect(found[0]?.refreshErases).toBe(erases);
  });

  it("tell of a last bucket that would be in part", () => {
    const odd = { from: deleted.from, to: deleted.to + 30 };
    expect(dependentsOf("metric_hist", odd, 30 * day, [minute])[0]?.explanation).toContain(
      "a part of its rows",
    );
  });
});

describe("an age", () => {
  it.each([
    ["60d", 60 * day],
    ["60 days", 60 * day],
    ["12h", 12 * 3_600],
    ["90m", 90 * 60],
    ["2 weeks", 14 * day],
  ])("%s", (keep, keepSeconds) => {
    expect(age.parse(keep)).toBe(keepSeconds);
  });

  it.each(["", "60", "-1d", "0d", "1.5d", "60d; DROP TABLE x", "d"])("refuses %j", (keep) => {
    expect(() => age.parse(keep)).toThrow("a whole number and a unit");
  });
});

describe("runs of a job", () => {
  const run = (hoursAgo: number, seconds: number, succeeded = true): Run => {
    const started = new Date(1_700_000_000_000 - hoursAgo * 3_600_000);
    return {
      jobId: 1,
      started,
      finished: new Date(started.getTime() + seconds * 1_000),
      succeeded,
      error: succeeded ? null : "disk full",
    };
  };

  it("have a trend: the last ten against the ten before", () => {
    const runs = Array.from({ length: 20 }, (_, index) => run(index, index < 10 ? 6 : 4));
    expect(durations(runs)).toEqual({ durationSeconds: 6, durationTrend: 1.5 });
    expect(durations(runs.slice(0, 10))).toEqual({ durationSeconds: 6, durationTrend: null });
    expect(durations(runs.slice(0, 2))).toEqual({ durationSeconds: null, durationTrend: null });
  });

  it("that fail do not count for it, and show since when", () => {
    const runs = [run(1, 500, false), run(2, 500, false), run(3, 4), run(4, 4), run(5, 4), run(6, 9, false)];
    expect(durations(runs).durationSeconds).toBe(4);
    expect(failingSince(runs)).toBe(runs[1]?.started.toISOString());
    expect(failingSince(runs.slice(2))).toBeNull();
    expect(failingSince([])).toBeNull();
  });
});
