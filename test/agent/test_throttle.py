import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

import throttle
from throttle import owed, reading

MIB = 1 << 20
# Reads so many MiB, at 100 MiB/s at most: what ends before anybody has looked cannot be held up. Says how long it took it,
# which does not count how long whoever holds it up sleeps on.
READER = """
import sys, time
begun = time.monotonic()
with open("/dev/zero", "rb", buffering=0) as file:
    for _ in range(int(sys.argv[1]) * 10):
        file.read((1 << 20) // 10)
        time.sleep(0.001)
print(time.monotonic() - begun)
"""


class ReadingTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def process(self, pid, group, read, name="pgbackrest"):
        folder = os.path.join(self.folder.name, str(pid))
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/stat", "w", encoding="utf8") as file:
            file.write(f"{pid} ({name}) S 1 {group} {group} 0 -1 4194304")
        with open(f"{folder}/io", "w", encoding="utf8") as file:
            file.write(f"rchar: {read}\nwchar: 7\nsyscr: 1\nread_bytes: 3\n")

    def read(self, seen):
        return reading(77, seen, self.folder.name)

    def test_adds_up_the_group_and_nobody_else(self):
        self.process(77, 77, 1000)
        self.process(78, 77, 200)
        self.process(79, 1, 5000)
        os.makedirs(os.path.join(self.folder.name, "self"))
        self.assertEqual(self.read({}), 1200)

    def test_counts_from_the_last_look_on(self):
        seen = {}
        self.process(77, 77, 1000)
        self.read(seen)
        self.process(77, 77, 1500)
        self.process(80, 77, 40)
        self.assertEqual(self.read(seen), 540)
        self.assertEqual(self.read(seen), 0)

    def test_a_name_may_hold_anything(self):
        self.process(77, 1, 1000, name="a) S 1 77 77 (b")
        self.process(78, 77, 5, name="a) S 1 1 1 (b")
        self.assertEqual(self.read({}), 5)

    def test_one_that_ends_meanwhile_does_no_harm(self):
        self.process(77, 77, 1000)
        os.unlink(os.path.join(self.folder.name, "77/io"))
        self.process(78, 77, 5)
        os.makedirs(os.path.join(self.folder.name, "79"))
        self.assertEqual(self.read({}), 5)


class OwedTest(unittest.TestCase):
    def test_is_what_was_read_too_early(self):
        self.assertEqual(owed(0, 300, rate=100, elapsed=1), 200)
        self.assertEqual(owed(200, 0, rate=100, elapsed=1.5), 50)

    def test_what_was_not_used_is_no_credit(self):
        self.assertEqual(owed(0, 0, rate=100, elapsed=60), 0)
        self.assertEqual(owed(owed(0, 0, rate=100, elapsed=60), 300, rate=100, elapsed=1), 200)


class ThrottleTest(unittest.TestCase):
    def start(self, *command):
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def limit(self, process, rate):
        """In the background, as it is used; one that is left stopped must not keep the tests from ending."""
        limit = threading.Thread(target=throttle.throttle, args=(process, rate), daemon=True)
        limit.start()
        limit.join(timeout=20)
        self.assertFalse(limit.is_alive())
        self.assertEqual(process.returncode, 0)
        return process.stdout.read()

    def test_one_that_reads_fast_is_slowed_down_and_comes_to_its_end(self):
        reader = self.start(sys.executable, "-c", READER, "96")
        # 96 MiB at 48 MiB/s; without a limit they take a second.
        self.assertGreater(float(self.limit(reader, 48 * MIB)), 1.6)

    def test_one_that_reads_nothing_is_never_stopped(self):
        with mock.patch.object(throttle, "_signal") as signalled:
            self.limit(self.start("sleep", "0.5"), MIB)
        signalled.assert_not_called()

    def test_without_a_rate_nobody_looks(self):
        with mock.patch.object(throttle, "reading") as looked:
            self.limit(self.start("sleep", "0.2"), None)
        looked.assert_not_called()

    def test_one_that_is_ended_while_it_is_stopped_ends(self):
        reader = self.start(sys.executable, "-c", READER, "1000")
        limit = threading.Thread(target=throttle.throttle, args=(reader, 1), daemon=True)
        limit.start()
        time.sleep(0.5)
        reader.terminate()
        limit.join(timeout=10)
        self.assertFalse(limit.is_alive())


if __name__ == "__main__":
    unittest.main()
