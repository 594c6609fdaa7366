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


if __name__ == "__main__":
    unittest.main()
