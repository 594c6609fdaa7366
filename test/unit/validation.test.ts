import { describe, expect, it } from "vitest";
import { type Finding, reportOf, type Severity, validationExitCode } from "../../ops/validate/check";

const finding = (severity: Severity, passed: boolean): Finding => ({ check: "c", severity, passed });

describe("a validation", () => {
  it.each([
    [[finding("CRITICAL", true), finding("ERROR", true)], 0, 0],
    [[finding("WARNING", false), finding("ERROR", true)], 0, 0],
    [[finding("ERROR", false), finding("WARNING", false)], 1, 1],
    [[finding("ERROR", false), finding("CRITICAL", false)], 2, 2],
  ] as const)("of %j counts failures, warnings apart", (findings, failed, exitCode) => {
    const report = reportOf(findings);
    expect(report).toMatchObject({ checks: 2, failed });
    expect(validationExitCode(report)).toBe(exitCode);
  });
});
