import os
import tempfile
import unittest

from disk import BALLAST, DiskGuard

MIB = 1 << 20


class DiskTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.free = 1000 * MIB
        self.ran = []
        self.guard = DiskGuard(
            {"data": 100 * MIB},
            "ms5",
            "ms5_admin",
            free=lambda _: self.free,
            run=self.run_sql,
            volumes={"data": self.folder.name},
        )

    def tearDown(self):
        self.folder.cleanup()

    def run_sql(self, statement):
        self.ran.append(statement)
        return []

    def changes(self):
        return [part for part in ("%I SET default", "%I RESET default") if any(part in statement for statement in self.ran)]

    def test_with_room_nothing_is_changed(self):
        self.guard.look(primary=True)
        self.assertEqual(self.changes(), [])
        self.assertEqual(self.guard.conditions(), [])

    def test_with_little_room_applications_may_only_read_until_there_is_plenty(self):
        self.free = 99 * MIB
        self.guard.look(primary=True)
        self.assertEqual(self.changes(), ["%I SET default"])
        self.assertIn("data volume: 99 MiB free", self.guard.conditions()[0])
        self.ran.clear()
        self.free = 150 * MIB
        self.guard.look(primary=True)
        self.assertEqual(self.changes(), [])
        self.free = 201 * MIB
        self.guard.look(primary=True)
        self.assertEqual(self.changes(), ["%I RESET default"])

    def test_owners_and_superusers_keep_writing(self):
        self.free = 99 * MIB
        self.guard.look(primary=True)
        altering = next(statement for statement in self.ran if "ALTER ROLE" in statement)
        self.assertIn("rolpassword IS NOT NULL AND NOT rolsuper AND rolname <> 'ms5_admin'", altering)

    def test_a_replica_changes_nothing(self):
        self.free = 99 * MIB
        self.guard.look(primary=False)
        self.assertEqual(self.ran, [])

    def test_ballast_gives_way_when_the_volume_is_full(self):
        ballast = os.path.join(self.folder.name, BALLAST)
        self.guard.look(primary=False)
        self.assertEqual(os.path.getsize(ballast), 25 * MIB)
        self.free = 90 * MIB
        self.guard.before_start()
        self.assertTrue(os.path.exists(ballast))
        self.free = 3 * MIB
        self.guard.before_start()
        self.assertFalse(os.path.exists(ballast))


if __name__ == "__main__":
    unittest.main()
