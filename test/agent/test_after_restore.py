import subprocess
import unittest
from unittest import mock

import after_restore
from after_restore import findings_after, hold_jobs
from sql import SqlError

GOOD = {
    "SELECT 1 FROM timescaledb_information.jobs": [["1"]],
    "-- Holds the jobs": [["2"]],
    "SELECT current_setting('data_checksums')": [["on", "0"]],
    "SELECT count(*), count(*) FILTER (WHERE to_regclass": [["7", "0", "3"]],
    "SELECT count(*), count(*) FILTER (WHERE scheduled)": [["2", "0"]],
}


class AfterRestoreTest(unittest.TestCase):
    def look(self, answers=(), amcheck=(0, ""), count=lambda: {"a": (5, "1"), "b": (6, "2")}):
        """answers: over those of a copy in which all is well."""
        known = {**GOOD, **dict(answers)}

        def query(statement, database="postgres", timeout=10):
            answer = next(answer for begin, answer in known.items() if statement.startswith(begin))
            if isinstance(answer, Exception):
                raise answer
            return answer

        done = subprocess.CompletedProcess([], amcheck[0], amcheck[1], "")
        with mock.patch.object(after_restore, "query", query), mock.patch.object(subprocess, "run", return_value=done):
            return {f["check"]: (f["severity"], f["passed"], f.get("detail")) for f in findings_after("ms5", count)}

    def wrong(self, *args, **more):
        return {name: (severity, detail) for name, (severity, passed, detail) in self.look(*args, **more).items() if not passed}

    def test_says_what_it_has_seen_of_a_good_copy(self):
        self.assertEqual(
            self.look(),
            {
                "jobs held": ("CRITICAL", True, "2 jobs"),
                "catalogue and pages (amcheck)": ("CRITICAL", True, "every table and index"),
                "checksums": ("CRITICAL", True, "on, none wrong"),
                "hypertables and chunks": ("ERROR", True, "3 hypertables, 7 chunks"),
                "policies": ("ERROR", True, "2 jobs, all held"),
                "row counts": ("INFO", True, "11 rows in 2 tables"),
            },
        )

    def test_a_page_that_is_broken(self):
        wrong = self.wrong(amcheck=(2, 'heap table "a", block 3: broken\n'))
        self.assertEqual(wrong, {"catalogue and pages (amcheck)": ("CRITICAL", 'heap table "a", block 3: broken')})
        self.assertEqual(self.wrong(amcheck=(2, ""))["catalogue and pages (amcheck)"][1], "it failed")

    def test_pages_that_do_not_match_their_sums(self):
        answers = {"SELECT current_setting('data_checksums')": [["on", "4"]]}
        self.assertEqual(self.wrong(answers), {"checksums": ("CRITICAL", "4 pages are wrong")})
        answers = {"SELECT current_setting('data_checksums')": [["off", "0"]]}
        self.assertIn("cluster has none", self.wrong(answers)["checksums"][1])

    def test_chunks_without_a_table(self):
        answers = {"SELECT count(*), count(*) FILTER (WHERE to_regclass": [["7", "2", "3"]]}
        self.assertEqual(self.wrong(answers), {"hypertables and chunks": ("ERROR", "2 chunks have no table")})

    def test_a_job_that_would_run(self):
        answers = {"SELECT count(*), count(*) FILTER (WHERE scheduled)": [["2", "1"]]}
        self.assertEqual(self.wrong(answers), {"policies": ("ERROR", "1 jobs are not held")})

    def test_what_cannot_be_asked_has_not_passed(self):
        def count():
            raise SqlError("gone")

        answers = {begin: SqlError("server closed the connection") for begin in GOOD}
        wrong = self.wrong(answers, count=count)
        self.assertEqual(len(wrong), 5)
        self.assertEqual(wrong["jobs held"], ("CRITICAL", "server closed the connection"))
        self.assertEqual(wrong["row counts"], ("INFO", "gone"))

    def test_an_edition_without_jobs_holds_none(self):
        with mock.patch.object(after_restore, "query", return_value=[]):
            self.assertIsNone(hold_jobs("ms5"))
        answers = {"SELECT 1 FROM timescaledb_information.jobs": []}
        self.assertEqual(self.look(answers)["jobs held"], ("CRITICAL", True, "no jobs"))


if __name__ == "__main__":
    unittest.main()
