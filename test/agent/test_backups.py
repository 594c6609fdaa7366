import logging
import types
import unittest
from unittest import mock

import archiving
import backups
from backrest import BackrestError, Info
from backups import INFO_EVERY, INFO_WHEN_WAITING, RETRY_EVERY, USUALLY_WAITING, Backups, render

logging.disable(logging.CRITICAL)

MIB = 1 << 20
SETTINGS = types.SimpleNamespace(
    name="blue-0",
    members=["blue-0", "blue-1"],
    database="ms5",
    backups={"repositories": [1, 2], "queueMaxBytes": 100 * MIB, "bytesPerSecond": None, "maxAgeSeconds": 3600},
)


def backup(kind, repo, start, stop, stored, segment="000000010000000000000005", **more):
    """segment: the first that it needs."""
    return {
        "label": f"{kind}-{repo}",
        "type": kind,
        "archive": {"start": segment, "stop": segment},
        "database": {"repo-key": repo},
        "info": {"repository": {"delta": stored}},
        "timestamp": {"start": start, "stop": stop},
        **more,
    }


BACKUPS = [backup("full", 1, 100, 160, 5000), backup("incr", 1, 200, 210, 70), backup("full", 2, 160, 230, 5000)]


def repo(key, code=0, message="ok"):
    return {"key": key, "status": {"code": code, "message": message}}


class BackupsTest(unittest.TestCase):
    def setUp(self):
        self.now = 1_000.0
        self.backups = Backups(SETTINGS, clock=lambda: self.now)
        self.stanza = {"backup": BACKUPS, "repo": [repo(1), repo(2)], "db": [{"system-id": 7}]}
        self.waiting, self.dropped, self.dropped_elsewhere = (0, 0), [], [None, None]
        self.looked = 0
        self.replace(backups, "info", self.info)
        self.replace(backups, "query", lambda statement, database="postgres": [["7"]])
        self.replace(Backups, "_given_up_elsewhere", lambda _: self.dropped_elsewhere)
        self.replace(archiving, "waiting", lambda: self.waiting)
        self.replace(archiving, "dropped", lambda: self.dropped)
        # What is missing between two primaries is a matter of files: e2e has them.
        self.replace(Backups, "_close_gap", lambda _, found: None)
        self.requested = []
        self.replace(Backups, "_request", lambda _, kind: self.requested.append(kind))

    def replace(self, owner, name, by):
        patch = mock.patch.object(owner, name, by)
        patch.start()
        self.addCleanup(patch.stop)

    def info(self):
        self.looked += 1
        if isinstance(self.stanza, Exception):
            raise self.stanza
        return Info(self.stanza)

    def metrics(self):
        return {(name, *labels.items()): value for name, labels, value in self.backups.metrics()}

    def test_when_all_is_well_there_is_nothing_to_say(self):
        self.backups.tend(True)
        self.assertEqual(self.backups.conditions(), [])
        self.assertEqual(self.requested, [])

    def test_only_the_primary_speaks(self):
        self.stanza = BackrestError("away")
        self.waiting, self.dropped = (9, 90 * MIB), ["000000010000000000000001"]
        self.backups.tend(False)
        self.assertEqual(self.looked, 0)
        self.assertEqual((self.backups.conditions(), self.metrics()), ([], {}))
        self.backups.tend(True)
        self.assertEqual(len(self.backups.conditions()), 3)
        self.backups.tend(False)
        self.assertEqual((self.backups.conditions(), self.metrics()), ([], {}))

    def test_a_repository_that_cannot_be_asked(self):
        self.stanza = BackrestError("info: [039]: key revoked")
        self.backups.tend(True)
        self.assertEqual(
            self.backups.conditions(), ["backups: info: [039]: key revoked (docs/runbooks/backup-storage-away.md)"]
        )

    def test_one_of_two_repositories_that_does_not_answer(self):
        self.stanza["repo"][1] = repo(2, 99, "HTTP 503")
        self.backups.tend(True)
        self.assertIn("backups: repository 2: HTTP 503", self.backups.conditions()[0])
        # What is known of them is shown, and that neither can be relied on.
        self.assertEqual(self.metrics()[("ms5_backup_repository_up", ("repository", "2"))], 0)

    def test_another_databases_repository_is_never_taken(self):
        self.stanza["db"] = [{"system-id": 8}]
        self.backups.tend(True)
        self.assertIn("another database's backups", self.backups.conditions()[0])

    def test_is_asked_again_soon_when_it_failed_and_seldom_when_it_did_not(self):
        def tend(after, looked):
            self.now += after
            self.backups.tend(True)
            self.assertEqual(self.looked, looked)

        self.stanza = BackrestError("away")
        tend(0, 1)
        tend(RETRY_EVERY - 1, 1)
        tend(1, 2)
        self.stanza = {"backup": BACKUPS, "repo": [repo(1), repo(2)]}
        tend(RETRY_EVERY, 3)
        tend(INFO_EVERY - 1, 3)
        tend(1, 4)
        self.assertEqual(self.backups.conditions(), [])
        # More waits than on a good day.
        self.waiting = (USUALLY_WAITING + 1, MIB)
        tend(INFO_WHEN_WAITING - 1, 4)
        tend(1, 5)

    def test_the_queue_is_told_of_before_it_is_full(self):
        self.backups.tend(True)
        self.waiting = (12, 50 * MIB)
        self.assertEqual(self.backups.conditions(), [])
        self.waiting = (13, 50 * MIB + 1)
        self.assertIn("archive: 13 segments (50 MiB) wait; from 100 MiB on", self.backups.conditions()[0])

    def test_what_was_given_up_is_told_of_until_a_backup_makes_good_for_it(self):
        self.dropped = ["000000010000000000000007", "000000010000000000000008"]
        self.backups.tend(True)
        self.assertEqual(self.requested, ["incr"])
        self.assertEqual(self.gap(), "000000010000000000000008")
        # One that begins with it needs it, and one that failed makes good for nothing.
        needs_it = backup("incr", 1, 300, 310, 70, "000000010000000000000008")
        failed = backup("incr", 1, 300, 310, 70, "000000010000000000000009", error=True)
        for stored in (needs_it, failed):
            self.look_at([*BACKUPS, stored])
            self.assertEqual(self.gap(), "000000010000000000000008")
        # Also one of a later primary.
        self.look_at([*BACKUPS, backup("incr", 1, 300, 310, 70, "000000020000000000000009")])
        self.assertIsNone(self.gap())
        self.assertEqual(self.backups.conditions(), [])

    def test_what_the_primary_before_gave_up_is_not_forgotten_with_it(self):
        self.dropped_elsewhere = [None, "00000001000000000000000A"]
        self.backups.tend(True)
        self.assertEqual(self.requested, ["incr"])
        self.assertEqual(self.gap(), "00000001000000000000000A")
        # The newest counts, whichever primary wrote it.
        self.dropped = ["00000002000000000000000B"]
        self.assertEqual(self.gap(), "00000002000000000000000B")
        self.dropped = ["000000020000000000000009"]
        self.assertEqual(self.gap(), "00000001000000000000000A")

    def look_at(self, stored):
        self.stanza["backup"] = stored
        self.now += INFO_EVERY
        self.backups.tend(True)

    def gap(self):
        """The newest segment that is told of as given up."""
        told = [condition for condition in self.backups.conditions() if "were given up" in condition]
        self.assertEqual(self.metrics()[("ms5_archive_gap",)], len(told))
        return told[0].split("segments up to ")[1].split()[0] if told else None

    def test_backups_that_are_too_old(self):
        # The newest of each repository: what counts is the one that is worst off.
        self.now = 210 + 3600.0
        self.backups.tend(True)
        self.assertEqual(self.backups.conditions(), [])
        self.now += 1
        self.assertEqual(
            self.backups.conditions(), ["backups: the newest is 1 hours old (docs/runbooks/backup-failed.md)"]
        )
        # Without any there is nothing that could be old: one is being made.
        self.look_at([])
        self.assertEqual(self.backups.conditions(), [])

    def test_a_repository_without_a_backup_gets_one(self):
        self.stanza["backup"] = BACKUPS[:2]
        self.backups.tend(True)
        self.assertEqual(self.requested, ["incr"])

    def test_metrics_are_of_each_repository_and_kind(self):
        self.waiting = (3, 12 * MIB)
        self.backups.tend(True)
        first, second = ("repository", "1"), ("repository", "2")
        full, any_kind = ("type", "full"), ("type", "any")
        self.assertEqual(
            self.metrics(),
            {
                ("ms5_archive_waiting_segments",): 3,
                ("ms5_archive_waiting_bytes",): 12 * MIB,
                ("ms5_archive_queue_limit_bytes",): 100 * MIB,
                ("ms5_archive_gap",): 0,
                ("ms5_backup_age_limit_seconds",): 3600,
                ("ms5_backup_repository_up", first): 1,
                ("ms5_backup_last_completed_timestamp_seconds", first, full): 160,
                ("ms5_backup_last_duration_seconds", first, full): 60,
                ("ms5_backup_last_bytes", first, full): 5000,
                ("ms5_backup_last_completed_timestamp_seconds", first, any_kind): 210,
                ("ms5_backup_last_duration_seconds", first, any_kind): 10,
                ("ms5_backup_last_bytes", first, any_kind): 70,
                ("ms5_backup_repository_up", second): 1,
                ("ms5_backup_last_completed_timestamp_seconds", second, full): 230,
                ("ms5_backup_last_duration_seconds", second, full): 70,
                ("ms5_backup_last_bytes", second, full): 5000,
                ("ms5_backup_last_completed_timestamp_seconds", second, any_kind): 230,
                ("ms5_backup_last_duration_seconds", second, any_kind): 70,
                ("ms5_backup_last_bytes", second, any_kind): 5000,
                ("ms5_backup_earliest_restorable_timestamp_seconds",): 160,
            },
        )

    def test_before_the_repository_was_ever_seen_the_archive_is_still_measured(self):
        self.stanza = BackrestError("away")
        self.backups.tend(True)
        self.assertEqual({name for name, *_ in self.metrics()}, {
            "ms5_archive_waiting_segments",
            "ms5_archive_waiting_bytes",
            "ms5_archive_queue_limit_bytes",
            "ms5_archive_gap",
            "ms5_backup_age_limit_seconds",
        })

    def test_once_it_is_away_it_is_no_longer_up(self):
        self.backups.tend(True)
        self.stanza = BackrestError("away")
        self.now += INFO_EVERY
        self.backups.tend(True)
        self.assertEqual(self.metrics()[("ms5_backup_repository_up", ("repository", "1"))], 0)
        # When the last one was made is as true as before.
        self.assertIn(("ms5_backup_last_bytes", ("repository", "1"), ("type", "any")), self.metrics())

    def test_makes_no_backup_of_a_kind_that_there_is_not(self):
        with self.assertRaisesRegex(BackrestError, "'differential' is no kind of backup: full, diff, incr"):
            self.backups.make("differential", lambda _: None)

    def test_makes_one_at_a_time_in_each_repository(self):
        made, told = [], []

        def inside(_, kind, repository, tell):
            made.append((kind, repository))
            with self.assertRaisesRegex(BackrestError, "already"):
                self.backups.make("full", tell)

        self.replace(backups.os, "makedirs", lambda *_, **__: None)
        self.replace(Backups, "_backup", inside)
        self.assertEqual(self.backups.make("incr", told.append), "incr-1")
        self.assertEqual(made, [("incr", 1), ("incr", 2)])
        # The next may begin.
        self.assertEqual(self.backups.make("incr", told.append), "incr-1")


class RenderTest(unittest.TestCase):
    def test_is_the_text_that_prometheus_reads(self):
        lines = [("a", {}, 1), ("b", {"repository": "1", "type": "full"}, 2.5), ("b", {"repository": "2"}, "3")]
        self.assertEqual(
            render(lines),
            '# TYPE a gauge\na 1\n# TYPE b gauge\nb{repository="1",type="full"} 2.5\nb{repository="2"} 3\n',
        )

    def test_of_nothing_is_nothing(self):
        self.assertEqual(render([]), "")


if __name__ == "__main__":
    unittest.main()
