"""Results of checks, as `ops validate` has them (ops/validate/check.ts)."""

ORDER = ("CRITICAL", "ERROR", "WARNING", "INFO")


def finding(check, severity, problem, detail=None):
    """One check. problem: what is wrong, or nothing; detail: what was found when nothing is."""
    passed = not problem
    found = {"check": check, "severity": severity, "passed": passed}
    text = detail if passed else problem
    return {**found, "detail": text} if text else found


def failed(findings, *severities):
    """Those that did not pass."""
    wanted = severities or ("CRITICAL", "ERROR")
    return [f for f in findings if not f["passed"] and f["severity"] in wanted]


def described(findings):
    return "; ".join(f"{f['check']}: {f.get('detail', '')}" for f in findings)
