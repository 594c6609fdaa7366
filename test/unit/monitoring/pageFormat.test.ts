import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ago,
  bytes,
  count,
  duration,
  localTime,
  measured,
  nothing,
  percent,
  roughCount,
  sentenceCase,
  tickLabels,
  utcTime,
} from "../../../ops/monitoring/page/format.js";

/** Numbers and units are kept on one line by a space that does not break. */
const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "0.977 KiB"],
    [1536, "1.5 KiB"],
    [2 ** 30, "1 GiB"],
    [1.46 * 2 ** 30, "1.46 GiB"],
    [1023.6 * 2 ** 20, "1 GiB"],
    [5 * 2 ** 50, "5 PiB"],
    [5000 * 2 ** 50, "5,000 PiB"],
  ])("%d is %s", (number, words) => {
    expect(plain(bytes(number))).toBe(words);
  });

  it.each([null, undefined, Number.NaN])("%s is not known", (number) => {
    expect(bytes(number)).toBe(nothing);
  });
});

describe("percent", () => {
  it.each([
    [0, "0.0 %"],
    [0.00001, "< 0.1 %"],
    [0.5, "50.0 %"],
    [0.9124, "91.2 %"],
    [0.9996, "> 99.9 %"],
    [1, "100 %"],
    [1.07, "107.0 %"],
    [-0.5, "-50.0 %"],
  ])("%d is %s", (ratio, words) => {
    expect(plain(percent(ratio))).toBe(words);
  });

  it("says all only for all, and nothing only for nothing", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (ratio) => {
        expect(plain(percent(ratio)) === "100 %").toBe(ratio === 1);
        expect(plain(percent(ratio)) === "0.0 %").toBe(ratio === 0);
      }),
    );
  });
});

it("writes counts in full, and estimates as such", () => {
  expect(count(1_234_567)).toBe("1,234,567");
  expect(plain(roughCount(60_512_000))).toBe("60.5 million");
  expect(plain(roughCount(3_200_000_000))).toBe("3.2 billion");
  expect(roughCount(438_000)).toBe("438,000");
  expect(roughCount(null)).toBe(nothing);
});

it("writes measured values with their unit", () => {
  expect(plain(measured(36.58812, "°C"))).toBe("36.59 °C");
  expect(measured(0.000123456, "")).toBe("0.0001235");
  expect(measured(null, "°C")).toBe(nothing);
});

describe("duration", () => {
  it.each([
    [0, "0 ms"],
    [0.0486, "49 ms"],
    [1, "1 second"],
    [4.23, "4.2 seconds"],
    [59.7, "1 minute"],
    [90, "1 minute 30 seconds"],
    [3600, "1 hour"],
    [3599.9, "1 hour"],
    [86_400 * 1.5, "1 day 12 hours"],
    [86_399, "1 day"],
    [400 * 86_400, "400 days"],
  ])("%d s is %s", (seconds, words) => {
    expect(plain(duration(seconds))).toBe(words);
  });

  const offset = fc.double({ min: -61, max: 61, noNaN: true });
  it("never says sixty of a unit, nor none of one", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(60, 3600, 86_400),
        fc.integer({ min: 1, max: 400 }),
        offset,
        (unit, many, off) => {
          const seconds = Math.max(10, unit * many + off);
          expect(plain(duration(seconds))).not.toMatch(/\b60 (second|minute)|\b24 hours|\b0 /);
        },
      ),
    );
  });
});

describe("ago", () => {
  const now = Date.parse("2026-03-01T12:00:00Z");
  it.each([
    ["2026-03-01T11:59:58Z", "just now"],
    ["2026-03-01T12:00:04Z", "just now"],
    ["2026-03-01T11:59:50Z", "10 seconds ago"],
    ["2026-03-01T11:57:00Z", "3 minutes ago"],
    ["2026-03-01T11:00:01Z", "59 minutes ago"],
    ["2026-02-27T12:00:00Z", "2 days ago"],
    ["2026-03-01T14:30:00Z", "in 2 hours"],
    ["2020-03-01T12:00:00Z", "5 years ago"],
    ["nonsense", nothing],
  ])("%s was %s", (at, words) => {
    expect(ago(at, now)).toBe(words);
  });

  it("is never further back than it was", () => {
    fc.assert(
      fc.property(fc.integer({ min: 5000, max: 86_400_000 }), (milliseconds) => {
        const words = ago(new Date(now - milliseconds).toISOString(), now);
        const [, number, unit] = /^(\d+) (second|minute|hour|day)s? ago$/.exec(words) ?? [];
        const size = { second: 1, minute: 60, hour: 3600, day: 86_400 }[unit ?? ""] ?? Number.NaN;
        expect(Number(number) * size * 1000).toBeLessThanOrEqual(milliseconds);
      }),
    );
  });
});

it("writes a moment in a zone, and in UTC for the hover", () => {
  expect(localTime("2025-05-12T22:03:07Z", "Europe/Berlin")).toBe("13 May 2025, 00:03");
  expect(utcTime("2025-05-12T22:03:07.123Z")).toBe("2025-05-12 22:03:07 UTC");
  expect(localTime(null)).toBe(nothing);
});

it("labels an axis by how far its ticks are apart", () => {
  const seconds = (at: string) => Date.parse(at) / 1000;
  const hours = ["2025-05-12T20:00:00Z", "2025-05-12T22:00:00Z", "2025-05-13T00:00:00Z"].map(seconds);
  expect(tickLabels(hours, 7200, "Europe/Berlin")).toEqual(["22:00", "13 May", "02:00"]);
  expect(tickLabels([seconds("2025-05-12T10:00:00Z")], 86_400, "UTC")).toEqual(["12 May"]);
  expect(tickLabels([seconds("2025-05-01T00:00:00Z")], 2_678_400, "UTC")).toEqual(["May 2025"]);
});

it("makes a sentence of what the API says", () => {
  expect(sentenceCase("no chunk waits")).toBe("No chunk waits.");
  expect(sentenceCase("Done!")).toBe("Done!");
  expect(sentenceCase("")).toBe("");
});
