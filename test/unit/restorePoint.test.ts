import { describe, expect, it } from "vitest";
import { parseTarget, pointName } from "../../infra/database/backups/target";
import { migrationPoint } from "../../infra/schema/restorePoint";

describe("the name of the point before a migration", () => {
  const name = migrationPoint(10, new Date("2026-11-22T10:15:00.987Z"));

  it("has its number and the moment, in UTC", () => {
    expect(name).toBe("before-0010-20261122t101500z");
    expect(migrationPoint(12_345, new Date("2026-01-02T03:04:05+01:00"))).toBe(
      "before-12345-20260102t020405z",
    );
  });

  it("can be named as the target of a restore", () => {
    expect(name).toMatch(pointName);
    expect(parseTarget(name)).toEqual({ kind: "name", value: name });
  });
});
