import threading
import unittest
from unittest import mock

import backups


class CheckpointsTest(unittest.TestCase):
    def test_are_made_until_the_one_that_is_waited_for_is_there(self):
        replayed, made = threading.Event(), []

        def query(statement, **_):
            made.append(statement)
            if len(made) == 3:
                replayed.set()

        with mock.patch.object(backups, "query", query):
            backups._checkpoints_until(replayed, every=0.001)
        self.assertEqual(made, ["CHECKPOINT"] * 3)

    def test_none_is_made_where_nobody_waits_any_more(self):
        replayed = threading.Event()
        replayed.set()
        with mock.patch.object(backups, "query", side_effect=AssertionError):
            backups._checkpoints_until(replayed, every=0.001)

    def test_stop_with_a_backup_that_ends_while_it_waits(self):
        begun, until = threading.Event(), []

        def checkpoints(replayed):
            until.append(replayed)
            begun.set()

        child = mock.Mock(stdout=["P00 INFO: wait for replay on the standby to reach 0/1\n"])
        child.wait.side_effect = lambda: begun.wait(5) and 50
        making = backups.Backups(mock.Mock(members=["a"], backups={"bytesPerSecond": 1}))
        with (
            mock.patch.object(backups.subprocess, "Popen", return_value=child),
            mock.patch.object(backups, "_checkpoints_until", checkpoints),
            mock.patch.object(backups, "throttle"),
            mock.patch.object(backups, "command", return_value=[]),
            mock.patch.object(making, "_annotations", return_value=[]),
            self.assertRaises(backups.BackrestError),
        ):
            making._backup("full", 1, lambda line: None)
        self.assertTrue(until[0].is_set())


if __name__ == "__main__":
    unittest.main()
