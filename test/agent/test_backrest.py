import json
import subprocess
import unittest
from unittest import mock

import backrest
from backrest import BackrestError, Info, info, reason_in, run


def backup(label, kind, stop, repo=1, error=False):
    return {"label": label, "type": kind, "error": error, "database": {"repo-key": repo}, "timestamp": {"stop": stop}}


def repo(key, code, message=""):
    return {"key": key, "status": {"code": code, "message": message}}


class ReasonTest(unittest.TestCase):
    def test_is_the_error_and_not_what_comes_before_or_after(self):
        said = """\
2026-11-22 10:15:00.000 P00   INFO: check command begin 2.58.0
2026-11-22 10:15:01.000 P00  ERROR: [082]: WAL segment 000000010000000000000001 was not archived before the timeout
                                    HINT: check the archive_command
2026-11-22 10:15:01.000 P00   INFO: check command end: aborted with exception [082]
"""
        self.assertEqual(reason_in(said), "[082]: WAL segment 000000010000000000000001 was not archived before the timeout")

    def test_is_the_first_of_several(self):
        self.assertEqual(reason_in("ERROR: [039]: one\nERROR: [103]: two\n"), "[039]: one")

    def test_without_an_error_it_is_the_last_line(self):
        self.assertEqual(reason_in("one\n  two  \n\n"), "two")
        self.assertEqual(reason_in(" \n"), "no reason given")


class RunTest(unittest.TestCase):
    def run_with(self, **outcome):
        with mock.patch.object(subprocess, "run", **outcome) as ran:
            try:
                return run("check", timeout=3), ran
            except BackrestError as error:
                return error, ran

    def test_names_the_stanza_and_returns_what_was_printed(self):
        done = subprocess.CompletedProcess([], 0, "printed", "")
        said, ran = self.run_with(return_value=done)
        self.assertEqual(said, "printed")
        self.assertEqual(ran.call_args.args[0], ["pgbackrest", "--stanza=database", "check"])

    def test_a_failure_has_its_reason_and_code(self):
        done = subprocess.CompletedProcess([], 82, "P00  ERROR: [082]: not archived\n", "")
        error, _ = self.run_with(return_value=done)
        self.assertEqual((str(error), error.code), ("check: [082]: not archived", 82))

    def test_one_that_does_not_end_is_a_failure_too(self):
        error, _ = self.run_with(side_effect=subprocess.TimeoutExpired("pgbackrest", 3))
        self.assertEqual((str(error), error.code), ("check: no end within 3 s", None))

    def test_an_image_without_it_is_told_of(self):
        error, _ = self.run_with(side_effect=FileNotFoundError())
        self.assertIn("the image has no pgbackrest", str(error))


class InfoTest(unittest.TestCase):
    def test_the_newest_of_some_kinds_in_one_repository(self):
        found = Info(
            {
                "backup": [
                    backup("incr", "incr", 40),
                    backup("full-2", "full", 30),
                    backup("full-1", "full", 10),
                    backup("elsewhere", "full", 90, repo=2),
                    backup("broken", "full", 80, error=True),
                ]
            }
        )
        self.assertEqual(found.last(("full",), 1)["label"], "full-2")
        self.assertEqual(found.last(("full", "diff", "incr"), 1)["label"], "incr")
        self.assertEqual(found.last(("full",), 2)["label"], "elsewhere")
        self.assertIsNone(found.last(("diff",), 1))
        self.assertEqual(found.earliest(), 10)

    def test_what_failed_begins_nothing(self):
        self.assertIsNone(Info({"backup": [backup("broken", "full", 80, error=True)]}).earliest())

    def test_a_repository_without_anything_yet_is_no_fault(self):
        empty = [repo(1, 0), repo(2, 1), repo(3, 2), repo(4, 3)]
        found = Info({"repo": [*empty, repo(5, 99, "unable to open\nstack\n"), repo(6, 99)]})
        self.assertEqual(
            found.problems, {1: None, 2: None, 3: None, 4: None, 5: "unable to open", 6: "no reason given"}
        )

    def test_is_made_when_every_repository_knows_the_database(self):
        self.assertTrue(Info({"repo": [repo(1, 0), repo(2, 2)]}).made)
        # A second one that was added later: nothing is archived anywhere until it is made too.
        self.assertFalse(Info({"repo": [repo(1, 0), repo(2, 1)]}).made)
        self.assertFalse(Info({"repo": [repo(1, 3)]}).made)
        self.assertFalse(Info({}).made)

    def test_how_far_the_archive_reaches(self):
        archives = [{"max": "00000001A"}, {"max": None}, {"max": "00000001B"}]
        self.assertEqual(Info({"archive": archives}).archived_until(), "00000001B")
        self.assertEqual(Info({"archive": [{"max": None}]}).archived_until(), "")
        self.assertEqual(Info({}).archived_until(), "")

    def test_whose_backups_they_are(self):
        self.assertEqual(Info({"db": [{"system-id": 7}, {"system-id": 7}, {"system-id": 8}]}).system_ids, {7, 8})

    def test_is_read_from_what_pgbackrest_prints(self):
        for text, made in ((json.dumps([{"repo": [repo(1, 0)]}]), True), ("[]", False), ("", False)):
            with mock.patch.object(backrest, "run", return_value=text):
                self.assertEqual(info().made, made)


if __name__ == "__main__":
    unittest.main()
