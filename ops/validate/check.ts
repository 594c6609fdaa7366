import type { StackConfig } from "../../infra/config";
import type { Client } from "../../infra/schema/postgres";

/**
 * How bad it is when a check fails. CRITICAL: the database is not what the stack needs. ERROR: something promised does
 * not hold. WARNING: worth a look, nothing is wrong yet; does not count as a failure. INFO: for the record.
 */
export type Severity = "CRITICAL" | "ERROR" | "WARNING" | "INFO";

/** One thing that must hold. */
export interface Check {
  readonly name: string;
  readonly severity: Severity;
  /** What is wrong, for a person; undefined when it holds. */
  run(session: { client: Client; config: StackConfig }): Promise<string | undefined>;
}

export interface Finding {
  readonly check: string;
  readonly severity: Severity;
  readonly passed: boolean;
  readonly detail?: string;
}

export interface ValidationReport {
  readonly checks: number;
  /** Failed checks that are CRITICAL or ERROR. */
  readonly failed: number;
  readonly findings: readonly Finding[];
}

/** Exit codes of `validate`, as migration tools have them: 0 nothing failed, 1 an ERROR, 2 a CRITICAL. */
export function validationExitCode(report: Pick<ValidationReport, "findings">): 0 | 1 | 2 {
  const failed = report.findings.filter((finding) => !finding.passed);
  if (failed.some((finding) => finding.severity === "CRITICAL")) return 2;
  return failed.some((finding) => finding.severity === "ERROR") ? 1 : 0;
}

/** A finding as a line for a person. */
export function findingLine({ passed, severity, check, detail }: Finding): string {
  if (!passed) return `${severity.padEnd(9)} ${check}: ${detail}`;
  return detail === undefined ? `ok        ${check}` : `ok        ${check}: ${detail}`;
}

export function reportOf(findings: readonly Finding[]): ValidationReport {
  return {
    checks: findings.length,
    failed: findings.filter((finding) => !finding.passed && ["CRITICAL", "ERROR"].includes(finding.severity))
      .length,
    findings,
  };
}
