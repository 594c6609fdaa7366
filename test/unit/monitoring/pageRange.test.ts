import { describe, expect, it } from "vitest";
import {
  customRange,
  fieldValue,
  lastRange,
  oeeRange,
  weekUntil,
} from "../../../ops/monitoring/page/range.js";

const now = Date.parse("2026-03-01T12:00:00Z");

it("reaches back from now", () => {
  expect(lastRange("24h", now)).toEqual({ from: "2026-02-28T12:00:00.000Z", to: "2026-03-01T12:00:00.000Z" });
  expect(lastRange("7d", now).from).toBe("2026-02-22T12:00:00.000Z");
  expect(lastRange("something else", now)).toEqual(lastRange("24h", now));
});

describe("a range of one's own", () => {
  it.each([
    ["", "2026-01-01T00:00", "Give a first moment."],
    ["2026-01-01T00:00", "", "Give a last moment."],
    ["2026-01-01T00:00", "2026-01-01T00:00", "The first moment must be before the last."],
    ["2024-01-01T00:00Z", "2025-02-04T00:00:01Z", "No more than 400 days can be shown at once."],
  ])("%j to %j: %s", (from, to, error) => {
    expect(customRange(from, to)).toEqual({ error });
  });

  it("may be 400 days long", () => {
    expect(customRange("2024-01-01T00:00Z", "2025-02-04T00:00Z")).toEqual({
      from: "2024-01-01T00:00:00.000Z",
      to: "2025-02-04T00:00:00.000Z",
    });
  });

  it("comes back from its field as it was, in any zone", () => {
    const at = "2026-03-29T00:59:30.000Z";
    expect(new Date(fieldValue(at)).toISOString()).toBe(at);
    expect(fieldValue("")).toBe("");
  });
});

it("ends a week just after the moment it is for", () => {
  expect(weekUntil("2020-03-09T16:00:00Z")).toEqual({
    from: "2020-03-02T16:00:01.000Z",
    to: "2020-03-09T16:00:01.000Z",
  });
});

it("cuts a range for OEE to its last 31 days", () => {
  const whole = lastRange("30d", now);
  expect(oeeRange(whole)).toEqual({ ...whole, cut: false });
  expect(oeeRange(lastRange("90d", now))).toEqual({
    from: "2026-01-29T12:00:00.000Z",
    to: whole.to,
    cut: true,
  });
});
