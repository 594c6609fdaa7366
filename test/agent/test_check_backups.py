import time
import types
import unittest
from unittest import mock

import archiving
import check_backups
from backrest import BackrestError, Info
from check_backups import DAY, OLD_DRILL
from sql import SqlError

MIB = 1 << 20
SETTINGS = types.SimpleNamespace(
    database="ms5", admin="ms5_admin", guard={"data": 100 * MIB, "wal": 50 * MIB}, backups={"queueMaxBytes": 100 * MIB, "maxAgeSeconds": 8 * DAY}
)


def problem(finding):
    return None if finding["passed"] else (finding["severity"], finding["detail"])


class CheckBackupsTest(unittest.TestCase):
    def ask(self, check, rows):
        with mock.patch.object(check_backups, "query", side_effect=[rows]):
            return problem(check(SETTINGS))

    def repository(self, stanza, check=""):
        checked = mock.patch.object(check_backups, "run", side_effect=[check])
        with mock.patch.object(check_backups, "info", side_effect=[stanza]), checked:
            return {f["check"]: problem(f) for f in check_backups.repository(SETTINGS)}

    def stanza(self, *ages, status=0):
        """ages: of the newest backup in each repository, in days."""
        backups = [
            {"label": "x", "type": "full", "database": {"repo-key": key}, "timestamp": {"stop": time.time() - age * DAY}}
            for key, age in enumerate(ages, start=1)
            if age is not None
        ]
        repos = [{"key": key, "status": {"code": status, "message": "away"}} for key, _ in enumerate(ages, start=1)]
        return Info({"backup": backups, "repo": repos})

    def test_a_good_repository(self):
        found = self.repository(self.stanza(1, 2))
        self.assertEqual(len(found), 4)
        self.assertEqual(set(found.values()), {None})

    def test_backups_that_are_too_old_or_not_there(self):
        found = self.repository(self.stanza(9, None))
        self.assertEqual(found["newest backup in repository 1"], ("ERROR", "9.0 days old"))
        self.assertEqual(found["newest backup in repository 2"], ("CRITICAL", "there is none"))

    def test_a_repository_that_takes_no_log(self):
        found = self.repository(self.stanza(1), check=BackrestError("check: [082]: not archived"))
        self.assertEqual(found["repository takes the log"], ("CRITICAL", "check: [082]: not archived"))

    def test_a_repository_that_does_not_answer_is_asked_nothing_more(self):
        for stanza in (self.stanza(1, status=99), BackrestError("away")):
            found = self.repository(stanza, check=AssertionError("asked all the same"))
            self.assertEqual(list(found), ["repository answers"])
            self.assertEqual(found["repository answers"][0], "CRITICAL")

    def test_disks_are_measured_with_what_is_kept_for_recovery(self):
        with mock.patch.object(check_backups, "free", lambda path: 60 * MIB):
            found = {f["check"]: problem(f) for f in check_backups.disk(SETTINGS)}
        self.assertEqual(found["disk: wal volume"], None)
        self.assertIn("60 MiB free, less than the 100 MiB", found["disk: data volume"][1])

    def test_connections(self):
        for used, full in ((90, None), (91, ("WARNING", "91 of 100 are taken"))):
            with mock.patch.object(check_backups, "query", return_value=[[str(used), "100"]]):
                self.assertEqual(problem(check_backups.connections()), full)

    def test_permissions(self):
        self.assertIsNone(self.ask(check_backups.permissions, [["t", "t"]]))
        self.assertEqual(
            self.ask(check_backups.permissions, [["f", "t"]]), ("ERROR", "nobody may make restore points")
        )

    def test_extension(self):
        self.assertIsNone(self.ask(check_backups.extension, [["2.24.0"]]))
        self.assertEqual(self.ask(check_backups.extension, []), ("CRITICAL", "TimescaleDB is not installed"))

    def test_archive(self):
        for size, wrong in ((50 * MIB, None), (50 * MIB + 1, ("ERROR", "9 segments (50 MiB) wait"))):
            with mock.patch.object(archiving, "waiting", lambda size=size: (9, size)):
                self.assertEqual(problem(check_backups.archive(SETTINGS)), wrong)

    def test_the_last_drill(self):
        def ago(days):
            return str(time.time() - days * DAY)

        self.assertIsNone(self.ask(check_backups.drill, [["t", ago(OLD_DRILL - 1)]]))
        self.assertEqual(self.ask(check_backups.drill, [["t", ago(OLD_DRILL + 1), ""]]), ("WARNING", "32 days ago"))
        self.assertEqual(self.ask(check_backups.drill, [["f", ago(1), "a is missing"]]), ("ERROR", "it failed: a is missing"))
        self.assertEqual(self.ask(check_backups.drill, [])[0], "WARNING")
        self.assertEqual(self.ask(check_backups.drill, SqlError("no table")), ("WARNING", "no table"))


if __name__ == "__main__":
    unittest.main()
