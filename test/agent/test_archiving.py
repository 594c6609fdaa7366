import os
import tempfile
import unittest

from archiving import dropped, of_earlier_timelines, waiting

# As pgBackRest's background process writes them (log-level-file=warn).
LOG = """\
2026-11-22 10:14:58.001 P00   WARN: a timeout occurred waiting for lock
2026-11-22 10:15:00.123 P00   WARN: dropped WAL file '000000010000000000000007' because archive queue exceeded 8GB
2026-11-22 10:15:00.124 P00   WARN: dropped WAL file '000000010000000000000008' because archive queue exceeded 8GB
2026-11-22 10:15:00.125 P00   WARN: dropped WAL file '00000002.history' because archive queue exceeded 8GB
-------------------PROCESS START-------------------
2026-11-23 00:00:00.000 P00   WARN: dropped WAL file '00000002000000000000000B' because archive queue exceeded 8GB
"""


class ArchivingTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, text=""):
        path = os.path.join(self.folder.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf8") as file:
            file.write(text)
        return path

    def test_counts_what_waits_and_not_what_is_done(self):
        self.write("000000010000000000000001", "x" * 10)
        self.write("000000010000000000000002", "x" * 20)
        self.write("000000010000000000000003", "x" * 40)
        self.write("archive_status/000000010000000000000001.done")
        self.write("archive_status/000000010000000000000002.ready")
        self.write("archive_status/000000010000000000000003.ready")
        self.assertEqual(waiting(self.folder.name), (2, 60))

    def test_one_that_is_removed_meanwhile_takes_no_room(self):
        self.write("archive_status/000000010000000000000001.ready")
        self.assertEqual(waiting(self.folder.name), (1, 0))

    def test_before_there_is_a_database_nothing_waits(self):
        self.assertEqual(waiting(os.path.join(self.folder.name, "none")), (0, 0))

    def test_reads_what_was_given_up_from_the_log_of_whoever_gave_it_up(self):
        path = self.write("database-archive-push-async.log", LOG)
        self.assertEqual(
            dropped(path), ["000000010000000000000007", "000000010000000000000008", "00000002000000000000000B"]
        )

    def test_without_a_log_nothing_was_given_up(self):
        self.assertEqual(dropped(os.path.join(self.folder.name, "none")), [])


class EarlierTimelinesTest(unittest.TestCase):
    """The names are those that PostgreSQL left on a replica that became the primary."""

    def test_after_a_crash_all_that_was_written_whole(self):
        # PostgreSQL renames the half one at promotion: every other is whole, the last of them too.
        names = [
            "000000010000000000000009",
            "000000010000000000000009.00000028.backup",
            "00000001000000000000000A",
            "00000001000000000000000B.partial",
            "00000002.history",
            "00000002000000000000000B",
            "archive_status",
        ]
        self.assertEqual(of_earlier_timelines(names, 2), ["000000010000000000000009", "00000001000000000000000A"])

    def test_half_a_segment_that_was_not_renamed_is_left_out(self):
        # As on a replica that followed another primary: its own was marked as archived when streaming ended.
        names = [
            "00000001000000000000000A",
            "00000001000000000000000B",
            "00000002.history",
            "00000002000000000000000B",
            "00000002000000000000000C",
        ]
        self.assertEqual(of_earlier_timelines(names, 2), ["00000001000000000000000A"])

    def test_several_timelines_each_up_to_where_it_was_left(self):
        names = [
            "00000003000000000000000D",
            "00000002000000000000000D",
            "00000002000000000000000C",
            "00000002000000000000000B",
            "00000001000000000000000B",
            "00000001000000000000000A",
        ]
        self.assertEqual(
            of_earlier_timelines(names, 3),
            ["00000001000000000000000A", "00000002000000000000000B", "00000002000000000000000C"],
        )

    def test_a_timeline_that_was_left_between_two_segments_was_left_whole(self):
        names = ["0000000100000000000003FF", "000000020000000100000000"]
        self.assertEqual(of_earlier_timelines(names, 2), ["0000000100000000000003FF"])

    def test_later_timelines_are_hexadecimal(self):
        names = ["0000000A0000000000000001", "0000000B0000000000000002"]
        self.assertEqual(of_earlier_timelines(names, 11), names[:1])

    def test_of_the_current_timeline_is_nothing(self):
        self.assertEqual(of_earlier_timelines(["000000020000000000000001", "000000020000000000000002"], 2), [])


if __name__ == "__main__":
    unittest.main()
