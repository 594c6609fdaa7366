import { describe, expect, it } from "vitest";
import { parseTarget } from "../../infra/database/backups/target";
import { UserError } from "../../infra/errors";

function refusal(text: string): { readonly message: string; readonly fix: string | undefined } {
  try {
    parseTarget(text);
  } catch (error) {
    if (error instanceof UserError) return { message: error.message, fix: error.fix };
    throw error;
  }
  return expect.fail(`"${text}" was taken`);
}

describe("the target of a restore", () => {
  it("is the end of the archive", () => {
    expect(parseTarget("latest")).toEqual({ kind: "latest", value: null });
  });

  it.each([
    ["0/3000148", "0/3000148"],
    ["1a/ff00", "1A/FF00"],
    ["FFFFFFFF/FFFFFFFF", "FFFFFFFF/FFFFFFFF"],
  ])("is an LSN: %s", (text, lsn) => {
    expect(parseTarget(text)).toEqual({ kind: "lsn", value: lsn, lsn });
  });

  // Each is the same instant: 2026-11-22 10:15:00 UTC.
  const at = Date.UTC(2026, 10, 22, 10, 15) / 1_000;
  it.each([
    ["2026-11-22T10:15:00Z", "2026-11-22 10:15:00+00:00"],
    ["2026-11-22t10:15:00z", "2026-11-22 10:15:00+00:00"],
    ["2026-11-22 10:15:00 Z", "2026-11-22 10:15:00+00:00"],
    ["2026-11-22T10:15Z", "2026-11-22 10:15:00+00:00"],
    ["2026-11-22T11:15:00+01:00", "2026-11-22 11:15:00+01:00"],
    ["2026-11-22 11:15:00+01", "2026-11-22 11:15:00+01:00"],
    ["2026-11-22T04:45:00-0530", "2026-11-22 04:45:00-05:30"],
    // Another day there than in UTC.
    ["2026-11-23T00:15+14:00", "2026-11-23 00:15:00+14:00"],
    ["2026-11-21T22:15:00-12", "2026-11-21 22:15:00-12:00"],
  ])("is a time with its offset: %s", (text, value) => {
    expect(parseTarget(text)).toEqual({ kind: "time", value, at });
  });

  it("is a time to the microsecond, which PostgreSQL gets whole", () => {
    expect(parseTarget("2026-11-22T10:15:00.123456Z")).toEqual({
      kind: "time",
      value: "2026-11-22 10:15:00.123456+00:00",
      at: at + 0.123,
    });
    expect(parseTarget("2026-11-22 11:15:00.5+01").value).toBe("2026-11-22 11:15:00.5+01:00");
  });

  it("is the name of a restore point", () => {
    for (const name of ["before-0010-20261122t101500z", "a", "x.y_z-1"]) {
      expect(parseTarget(name)).toEqual({ kind: "name", value: name });
    }
  });

  it.each([
    ["2026-11-22T10:15:00", "2026-11-22T10:15:00"],
    ["2026-11-22 10:15", "2026-11-22T10:15"],
    ["2026-11-22 10:15:00.5", "2026-11-22T10:15:00.5"],
  ])("is never a time of which nobody knows where: %s", (text, time) => {
    expect(refusal(text)).toEqual({
      message: `"${text}" does not say in which time zone`,
      fix: `add Z for UTC, or an offset: ${time}Z, ${time}+01:00`,
    });
  });

  it.each([
    "2026-13-01T00:00:00Z",
    "2026-02-30T10:15:00Z",
    "2026-11-31T10:15:00+01:00",
    "2025-02-29T10:15:00Z",
    "2026-11-00T10:15:00Z",
    "2026-11-22T25:00:00Z",
    "2026-11-22T10:61:00Z",
    "2026-11-22T10:15:00+99:00",
  ])("is in the calendar: not %s", (text) => {
    expect(refusal(text).message).toBe(`"${text}" is in no calendar`);
  });

  it("knows leap years", () => {
    expect(parseTarget("2028-02-29T00:00:00Z").at).toBe(Date.UTC(2028, 1, 29) / 1_000);
  });

  it.each([
    "",
    "LATEST",
    "Before",
    "9lives",
    "two words",
    "it's",
    "2026-11-22",
    "22.11.2026 10:15Z",
    "1795342500",
    "2026-11-22T10:15:00.1234567Z",
    "2026-11-22T10:15:00 UTC",
    "0/GHI",
    "0/123456789",
    "0/",
    `${"a".repeat(64)}`,
  ])("is nothing else: %j", (text) => {
    const { message, fix } = refusal(text);
    expect(message).toBe(`"${text}" is no target of a restore`);
    expect(fix).toContain("latest");
  });
});
