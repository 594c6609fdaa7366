import unittest

from findings import described, failed, finding


class FindingsTest(unittest.TestCase):
    def test_one_that_passed_says_what_was_found(self):
        self.assertEqual(
            finding("disk", "CRITICAL", None, "7 MiB free"),
            {"check": "disk", "severity": "CRITICAL", "passed": True, "detail": "7 MiB free"},
        )

    def test_one_that_failed_says_what_is_wrong(self):
        self.assertEqual(
            finding("disk", "CRITICAL", "too small", "7 MiB free"),
            {"check": "disk", "severity": "CRITICAL", "passed": False, "detail": "too small"},
        )

    def test_no_problem_is_an_empty_one(self):
        # As `"; ".join(...)` of nothing makes it.
        self.assertEqual(finding("disk", "ERROR", ""), {"check": "disk", "severity": "ERROR", "passed": True})

    def test_failed_are_those_that_keep_anybody_from_going_on(self):
        findings = [finding(severity, severity, "wrong") for severity in ("CRITICAL", "ERROR", "WARNING", "INFO")]
        findings += [finding("fine", "CRITICAL", None)]
        self.assertEqual([f["check"] for f in failed(findings)], ["CRITICAL", "ERROR"])
        self.assertEqual([f["check"] for f in failed(findings, "WARNING")], ["WARNING"])

    def test_described_in_one_line(self):
        findings = [finding("disk", "CRITICAL", "too small"), finding("memory", "ERROR", None)]
        self.assertEqual(described(findings), "disk: too small; memory: ")
        self.assertEqual(described([]), "")


if __name__ == "__main__":
    unittest.main()
