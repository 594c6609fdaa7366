import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { interval, parseInterval } from "../../infra/units";

describe("intervals", () => {
  it.each([
    ["7 days", 604_800, "7 days"],
    ["1 day", 86_400, "1 day"],
    ["24 hours", 86_400, "1 day"],
    ["90 minutes", 5_400, "90 minutes"],
    ["1 week", 604_800, "7 days"],
    ["3 months", 7_776_000, "90 days"],
    ["1 year", 31_536_000, "365 days"],
    ["  45SECONDS ", 45, "45 seconds"],
  ])("%s", (text, seconds, written) => {
    expect(parseInterval(text)).toEqual({ seconds, text: written });
  });

  it.each([
    "",
    "7",
    "days",
    "7 dayz",
    "-1 day",
    "0 days",
    "1.5 hours",
    "1 day 2 hours",
    "7 fortnights",
    "1e3 days",
  ])("refuses %j", (text) => {
    expect(parseInterval(text)).toBeUndefined();
  });

  it("reads back what it writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999 }), (seconds) => {
        expect(parseInterval(interval(seconds).text)).toEqual(interval(seconds));
      }),
    );
  });
});
