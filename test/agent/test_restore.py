import os
import tempfile
import unittest
from unittest import mock

import restore
from backrest import BackrestError, Info
from restore import HEADROOM, LEAST_MEMORY, RestoreError, arguments, chosen, explained, findings_before

GIB = 1 << 30


def backup(label, stop, lsn, **more):
    """One of what `pgbackrest info` lists."""
    return {
        "label": label,
        "type": "full",
        "error": False,
        "annotation": {"postgresql": "170006", "timescaledb": "2.24.0"},
        "database": {"id": 1, "repo-key": 1},
        "info": {"size": GIB, "repository": {"delta": 1000}},
        "lsn": {"start": "0/1", "stop": lsn},
        "timestamp": {"start": stop - 10, "stop": stop},
        **more,
    }


# Not in order: who lists them may list one repository after the other.
BACKUPS = [
    backup("second", 2000, "0/5000000"),
    backup("first", 1000, "0/3000000"),
    backup("third", 3000, "1/0"),
]
FAILED = backup("failed", 4000, "1/5000000", error=True)


def found(backups=BACKUPS, status=0, message="ok", more=()):
    return Info({"backup": list(backups), "repo": [{"key": 1, "status": {"code": status, "message": message}}, *more]})


class ChosenTest(unittest.TestCase):
    def label(self, target, backups=BACKUPS):
        return chosen(target, found(backups))["label"]

    def refused(self, target, backups=BACKUPS):
        with self.assertRaises(RestoreError) as raised:
            chosen(target, found(backups))
        return str(raised.exception)

    def test_for_the_latest_the_newest(self):
        self.assertEqual(self.label({"kind": "latest", "value": None}), "third")

    def test_for_a_time_the_newest_that_ended_before_it(self):
        for at, label in ((2999.9, "second"), (3000, "third"), (1e9, "third"), (1000, "first")):
            self.assertEqual(self.label({"kind": "time", "value": "…", "at": at}), label)

    def test_for_an_lsn_the_newest_that_ended_before_it(self):
        # 1/0 is behind 0/FFFFFFFF, though not as a text.
        for lsn, label in (("0/4FFFFFF", "first"), ("0/5000000", "second"), ("0/FFFFFFFF", "second"), ("1/0", "third")):
            self.assertEqual(self.label({"kind": "lsn", "value": lsn, "lsn": lsn}), label)

    def test_for_a_name_the_one_before_its_place(self):
        name = {"kind": "name", "value": "before-0010"}
        self.assertEqual(self.label({**name, "at": 2500}), "second")
        # Where both are known the place in the log is more exact.
        self.assertEqual(self.label({**name, "at": 9999, "lsn": "0/3000001"}), "first")

    def test_a_name_that_nobody_knows_is_refused(self):
        self.assertIn("nothing says where", self.refused({"kind": "name", "value": "before-0010"}))

    def test_before_the_first_nothing_can_be_restored(self):
        for target in ({"kind": "time", "value": "…", "at": 999}, {"kind": "lsn", "value": "0/1", "lsn": "0/1"}):
            self.assertIn("the first backup ended at 1970-01-01 00:16:40 UTC (0/3000000)", self.refused(target))

    def test_one_that_failed_is_never_used(self):
        self.assertEqual(self.label({"kind": "latest", "value": None}, [*BACKUPS, FAILED]), "third")
        self.assertEqual(self.label({"kind": "time", "value": "…", "at": 5000}, [*BACKUPS, FAILED]), "third")
        self.assertIn("holds no backup", self.refused({"kind": "latest", "value": None}, [FAILED]))


class ArgumentsTest(unittest.TestCase):
    def test_of_the_latest_there_is_no_target(self):
        told = arguments({"kind": "latest", "value": None}, BACKUPS[0], "/data/pgdata", "--link-all")
        self.assertEqual(told[:3], ["restore", "--pg1-path=/data/pgdata", "--set=second"])
        self.assertIn("--link-all", told)
        self.assertFalse([arg for arg in told if arg.startswith(("--type", "--target"))])

    def test_a_target_is_named_and_promoted_at(self):
        told = arguments({"kind": "time", "value": "2026-11-22 10:15:00+00:00"}, BACKUPS[0], "/data/pgdata")
        self.assertEqual(told[-3:], ["--type=time", "--target=2026-11-22 10:15:00+00:00", "--target-action=promote"])

    def test_right_before_a_place_in_the_log(self):
        target = {"kind": "lsn", "value": "0/5", "lsn": "0/5", "exclusive": True}
        self.assertEqual(arguments(target, BACKUPS[0], "/data/pgdata")[-1], "--target-exclusive")

    def test_as_many_processes_as_processors_but_not_dozens(self):
        for processors, told in ((2, "--process-max=2"), (64, "--process-max=8"), (None, "--process-max=1")):
            with mock.patch.object(os, "cpu_count", return_value=processors):
                self.assertIn(told, arguments({"kind": "latest", "value": None}, BACKUPS[0], "/data/pgdata"))


# As PostgreSQL 17 writes it, with a target that the archive does not reach.
ENDED = """\
2026-11-22 10:20:00.000 UTC [7] LOG:  starting point-in-time recovery to 2026-11-22 10:15:00+00
2026-11-22 10:20:00.100 UTC [7] LOG:  restored log file "000000010000000000000004" from archive
2026-11-22 10:20:00.400 UTC [7] LOG:  redo done at 0/4FFFF28 system usage: CPU: user: 0.00 s
2026-11-22 10:20:00.400 UTC [7] LOG:  last completed transaction was at log time 2026-11-22 10:14:01.5+00
2026-11-22 10:20:00.400 UTC [7] FATAL:  recovery ended before configured recovery target was reached
2026-11-22 10:20:00.500 UTC [1] LOG:  startup process (PID 7) exited with exit code 1
2026-11-22 10:20:00.600 UTC [1] LOG:  database system is shut down
"""
MISSING = """\
2026-11-22 10:20:00.300 P00   INFO: unable to find 000000010000000000000004 in the archive
2026-11-22 10:20:00.300 P00   INFO: unable to find 000000010000000000000005 in the archive
"""


class ExplainedTest(unittest.TestCase):
    def test_an_archive_that_ends_too_early(self):
        self.assertEqual(
            explained(ENDED),
            "the archive ends before the target (its last transaction is of 2026-11-22 10:14:01.5+00): choose an earlier one",
        )

    def test_a_hole_is_named(self):
        self.assertIn("; segment 000000010000000000000005 is missing: choose", explained(MISSING + ENDED))

    def test_nothing_was_recovered_at_all(self):
        log = "x FATAL:  recovery ended before configured recovery target was reached"
        self.assertEqual(explained(log), "the archive ends before the target: choose an earlier one")

    def test_any_other_end_in_its_own_words(self):
        log = 'a LOG:  starting\nb FATAL:  could not load "x.so"\nc FATAL:  the last word\nd LOG:  shut down\n'
        self.assertEqual(explained(log), "the last word")

    def test_without_a_reason_the_last_line(self):
        self.assertEqual(explained("a LOG:  one\nb LOG:  two\n\n"), "b LOG:  two")
        self.assertEqual(explained(""), "PostgreSQL ended without a word")


class FindingsBeforeTest(unittest.TestCase):
    target = {"kind": "latest", "value": None}

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def look(self, info=found, target=target, **there):
        room = {"free": 2 * GIB, "memory": LEAST_MEMORY, "libraries": ["timescaledb-2.24.0.so", "pgaudit.so"], **there}
        with mock.patch.object(restore, "info", info):
            findings, backup = findings_before(target, room.pop("data", self.folder.name), **room)
        return {f["check"]: (f["severity"], f.get("detail")) for f in findings if not f["passed"]}, backup

    def test_nothing_is_wrong(self):
        wrong, backup = self.look()
        self.assertEqual(wrong, {})
        self.assertEqual(backup["label"], "third")

    def test_room_for_the_files_and_for_work(self):
        wrong, _ = self.look(free=GIB + HEADROOM - 1)
        self.assertEqual(wrong, {"disk": ("CRITICAL", "1279 MiB free, 1280 MiB needed: name a larger volume")})
        self.assertEqual(self.look(free=GIB + HEADROOM)[0], {})

    def test_too_little_memory(self):
        wrong, _ = self.look(memory=LEAST_MEMORY - (1 << 20))
        self.assertEqual(wrong, {"memory": ("ERROR", "383 MiB, less than 384 MiB")})

    def test_a_folder_that_is_not_there(self):
        wrong, _ = self.look(data="/nowhere/at/all")
        self.assertEqual(wrong, {"permissions": ("CRITICAL", "/nowhere/at/all cannot be written")})

    def test_an_image_without_the_extension_of_that_time(self):
        wrong, _ = self.look(libraries=["timescaledb-2.24.0-rc1.so", "timescaledb-2.23.1.so"])
        severity, reason = wrong["extension version"]
        self.assertEqual(severity, "CRITICAL")
        self.assertIn("TimescaleDB 2.24.0, which this image has not", reason)

    def test_a_backup_that_says_nothing_of_the_extension(self):
        for more in ({"annotation": None}, {"annotation": {"timescaledb": "none"}}):
            only = [backup("only", 1000, "0/3000000", **more)]
            self.assertEqual(self.look(lambda: found(only), libraries=[])[0], {})

    def test_a_repository_that_cannot_be_asked(self):
        def broken():
            raise BackrestError("info: [039]: key revoked")

        self.assertEqual(self.look(broken), ({"repository answers": ("CRITICAL", "info: [039]: key revoked")}, None))

    def test_a_repository_that_does_not_answer(self):
        wrong, backup = self.look(lambda: found([], 99, "HTTP request failed with 503\nmore"))
        self.assertEqual(wrong, {"repository answers": ("CRITICAL", "repository 1: HTTP request failed with 503")})
        self.assertIsNone(backup)

    def test_the_second_repository_stands_in_for_the_first(self):
        # Losing one is what the other is for: it must not keep anybody from restoring.
        others = [{"key": 2, "status": {"code": 99, "message": "host not found"}}]
        wrong, backup = self.look(lambda: found(more=others))
        self.assertEqual(wrong, {"repository answers": ("WARNING", "repository 2: host not found")})
        self.assertEqual(backup["label"], "third")

    def test_no_backup_from_before_the_target(self):
        wrong, backup = self.look(target={"kind": "time", "value": "…", "at": 1})
        self.assertEqual(list(wrong), ["a backup from before the target"])
        self.assertIsNone(backup)


if __name__ == "__main__":
    unittest.main()
