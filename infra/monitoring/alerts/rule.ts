import type { AlertRule, Severity } from "../rulesFile";

/** @param wait how long `expr` has to be true, as Prometheus writes it; "0m": at once */
export function rule(
  alert: string,
  severity: Severity,
  wait: string,
  expr: string,
  annotations: AlertRule["annotations"],
): AlertRule {
  return { alert, expr, for: wait, labels: { severity }, annotations };
}
