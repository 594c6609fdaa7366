import types
import unittest
from unittest import mock

import snapshot
from snapshot import NoReplica, differences, take_snapshot
from sql import SqlError

SETTINGS = types.SimpleNamespace(database="ms5")


class DifferencesTest(unittest.TestCase):
    def found(self, expected, found):
        return list(differences(expected, found))

    def test_the_same_is_the_same(self):
        # As JSON has brought them, and as they were counted here.
        self.assertEqual(self.found({"a": [1, "77"], "b": [0, "0"]}, {"b": (0, "0"), "a": (1, "77")}), [])

    def test_every_way_of_being_different(self):
        expected = {"gone": [5, "9"], "fewer": [5, "9"], "other": [5, "9"], "same": [5, "9"]}
        found = {"more": [2, "1"], "fewer": [4, "3"], "other": [5, "8"], "same": [5, "9"]}
        self.assertEqual(
            self.found(expected, found),
            [
                "fewer has 4 rows instead of 5",
                "gone is missing (5 rows)",
                "more is there (2 rows) and should not be",
                "other has other rows",
            ],
        )


class TakeSnapshotTest(unittest.TestCase):
    """The statements run in e2e; here it is what becomes of their outcomes."""

    def take(self, answers, recovery="t"):
        """answers: rows of each attempt, or what it raises."""
        self.ran, self.told = [], []
        outcomes = iter(answers)

        def query(statement, database="postgres", timeout=10):
            self.ran.append(statement)
            if statement == "SELECT pg_is_in_recovery()":
                return [[recovery]]
            if statement.startswith("SELECT pg_wal_replay_resume()"):
                return []
            outcome = next(outcomes)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        with mock.patch.object(snapshot, "query", query):
            return take_snapshot(SETTINGS, self.told.append)

    def resumed(self):
        return [statement.startswith("SELECT pg_wal_replay_resume()") for statement in self.ran].count(True)

    def test_has_the_place_and_every_table(self):
        rows = [["0/3000148", "2026-11-22T10:15:00.000001Z"], ["audit.a", "3", "-12"], ["public.b", "0", "0"]]
        self.assertEqual(
            self.take([rows]),
            {
                "lsn": "0/3000148",
                "at": "2026-11-22T10:15:00.000001Z",
                "tables": {"audit.a": [3, "-12"], "public.b": [0, "0"]},
            },
        )
        self.assertEqual(self.resumed(), 1)

    def test_is_tried_again_when_replay_takes_it_away(self):
        cancelled = SqlError("canceling statement due to conflict with recovery")
        self.assertEqual(self.take([cancelled, cancelled, [["0/5", ""]]])["lsn"], "0/5")
        self.assertEqual(len([line for line in self.told if "canceling" in line]), 2)

    def test_replay_goes_on_whatever_happens(self):
        with self.assertRaisesRegex(SqlError, "did not stop"):
            self.take([SqlError("replay did not stop")] * 3)
        self.assertEqual(self.resumed(), 3)

    def test_a_primary_is_refused_and_left_alone(self):
        with self.assertRaises(NoReplica):
            self.take([], recovery="f")
        self.assertEqual(len(self.ran), 1)


if __name__ == "__main__":
    unittest.main()
