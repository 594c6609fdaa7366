import fc from "fast-check";
import { describe, expect, it } from "vitest";
import table from "../../infra/azure/data/kubernetesVersions.json";
import { findVersion, supportedVersions, versionProblem } from "../../infra/azure/kubernetesVersions";

const day = (text: string) => new Date(`${text}T12:00:00Z`);
const days = fc.date({ min: day("2025-12-01"), max: day("2027-03-31"), noInvalidDate: true });
const versions = Object.keys(table.versions);

describe("Kubernetes versions of AKS", () => {
  it("are three at a time, newest first", () => {
    expect(supportedVersions(day("2026-07-15"))).toEqual(["1.36", "1.35", "1.34", "1.33"]);
    expect(supportedVersions(day("2026-08-01"))).toEqual(["1.36", "1.35", "1.34"]);
    expect(supportedVersions(day("2026-11-30"))).toEqual(["1.36", "1.35", "1.34"]);
    expect(supportedVersions(day("2026-12-01"))).toEqual(["1.36", "1.35"]);
  });

  it("say what was only announced when the table was written", () => {
    expect(findVersion("1.36")?.expected).toBe(false);
    expect(findVersion("1.37")).toMatchInlineSnapshot(`
      {
        "available": "2026-10-31",
        "expected": true,
        "longTermUntil": "2028-10-31",
        "supportedUntil": "2027-10-31",
        "version": "1.37",
      }
    `);
    expect(findVersion("1.5")).toBeUndefined();
  });

  it("are dated, with where they are from and how to see today's", () => {
    expect(table.date).toMatch(/^20\d\d-\d\d-\d\d$/);
    expect(table.source).not.toBe("");
    expect(table.check).toMatch(/^az aks get-versions/);
    for (const { available, supportedUntil, longTermUntil } of Object.values(table.versions)) {
      for (const date of [available, supportedUntil, longTermUntil]) {
        expect(new Date(date).toISOString().slice(0, 10)).toBe(date);
      }
      expect(available < supportedUntil && supportedUntil < longTermUntil).toBe(true);
    }
  });
});

describe("a version for a cluster", () => {
  const today = day("2026-12-01");
  const refusal = (version: string, tier: "Free" | "Premium" = "Free", on = today) =>
    versionProblem(version, tier, on);

  it("is taken while it has community support, to its last day", () => {
    expect(refusal("1.35")).toBeUndefined();
    expect(refusal("1.34", "Free", day("2026-11-30"))).toBeUndefined();
  });

  it("is refused afterwards, with those that are supported", () => {
    expect(refusal("1.34")).toMatchInlineSnapshot(`
      {
        "example": "1.35",
        "problem": "has no community support since 2026-11-30; until 2027-11-30 it is supported with tier Premium; supported: 1.37 (announced), 1.36, 1.35",
      }
    `);
  });

  it("is taken for another year with tier Premium", () => {
    expect(refusal("1.34", "Premium")).toBeUndefined();
    expect(refusal("1.34", "Premium", day("2027-11-30"))).toBeUndefined();
    expect(refusal("1.34", "Premium", day("2027-12-01"))?.problem).toMatchInlineSnapshot(
      `"is not supported since 2027-11-30; what is supported now was not known on 2026-08-05: compare with \`az aks get-versions --location REGION --output table\`"`,
    );
  });

  it("is taken when the day it was announced for is over: AKS knows best", () => {
    expect(refusal("1.37")).toBeUndefined();
    expect(refusal("1.37", "Premium", day("2026-10-01"))?.problem).toMatchInlineSnapshot(
      `"is expected by 2026-10-31; supported: 1.36, 1.35, 1.34"`,
    );
  });

  it("is refused when nobody knows it", () => {
    expect(refusal("1.28")?.problem).toMatchInlineSnapshot(
      `"is not supported any more; supported: 1.37 (announced), 1.36, 1.35"`,
    );
    expect(refusal("1.38")?.problem).toMatchInlineSnapshot(
      `"is newer than what was known on 2026-08-05: compare with \`az aks get-versions --location REGION --output table\` and add it to infra/azure/data/kubernetesVersions.json; supported: 1.37 (announced), 1.36, 1.35"`,
    );
  });

  it("is refused by a table that has become too old to propose another", () => {
    expect(refusal("1.36", "Free", day("2029-01-01"))).toMatchInlineSnapshot(`
      {
        "example": undefined,
        "problem": "is not supported since 2028-06-30; what is supported now was not known on 2026-08-05: compare with \`az aks get-versions --location REGION --output table\`",
      }
    `);
  });

  it("is what is proposed instead", () => {
    fc.assert(
      fc.property(days, fc.constantFrom(...versions, "1.20", "1.99"), (on, version) => {
        const problem = versionProblem(version, "Free", on);
        if (problem === undefined) return;
        expect(versionProblem(problem.example ?? "", "Free", on)).toBeUndefined();
      }),
    );
  });

  it("is never refused with Premium and taken without", () => {
    fc.assert(
      fc.property(days, fc.constantFrom(...versions), (on, version) => {
        const free = versionProblem(version, "Free", on);
        if (free === undefined) expect(versionProblem(version, "Premium", on)).toBeUndefined();
      }),
    );
  });
});
