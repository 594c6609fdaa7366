import json
import types
import unittest
from unittest import mock

import drills
from drills import drill_metrics, record_drill
from sql import SqlError

SETTINGS = types.SimpleNamespace(database="ms5")
DRILL = {
    "label": "20261122-020000F",
    "target": "0/3000148",
    "restore_seconds": 12.5,
    "loss_seconds": 3,
    "bytes": 1 << 30,
    "tables": 7,
    "rows": 1000,
    "passed": False,
    "detail": "it's 'broken'\nhere",
}


class RecordTest(unittest.TestCase):
    def record(self, drill):
        self.ran = []

        def query(statement, database):
            self.ran.append((statement, database))
            return [["42"]]

        with mock.patch.object(drills, "query", query):
            return record_drill(SETTINGS, drill)

    def test_adds_every_field_and_returns_the_number(self):
        # What it has beside them is nobody's business here.
        self.assertEqual(self.record({**DRILL, "findings": []}), 42)
        [(statement, database)] = self.ran
        self.assertEqual(database, "ms5")
        before, values = statement.split("jsonb_populate_record(NULL::audit.backup_drills, '")
        self.assertEqual(json.loads(values.split("') RETURNING")[0].replace("''", "'")), DRILL)
        self.assertIn(", ".join(f'"{field}"' for field in DRILL), before)

    def test_one_with_a_field_too_few_is_not_recorded(self):
        for field in DRILL:
            with self.assertRaisesRegex(SqlError, f"a drill has no {field}$"):
                self.record({name: value for name, value in DRILL.items() if name != field})
            self.assertEqual(self.ran, [])

    def test_an_empty_field_is_one(self):
        self.assertEqual(self.record({**DRILL, "detail": None, "label": None}), 42)


class MetricsTest(unittest.TestCase):
    def metrics(self, outcome):
        with mock.patch.object(drills, "query", side_effect=[outcome]):
            return {name: value for name, _, value in drill_metrics(SETTINGS)}

    def test_are_of_the_last_one_and_of_the_last_good_one(self):
        self.assertEqual(
            self.metrics([["2000.5", "0", "12.5", "3", "1024", "1000.5"]]),
            {
                "ms5_backup_drill_timestamp_seconds": "2000.5",
                "ms5_backup_drill_passed": "0",
                "ms5_backup_drill_restore_seconds": "12.5",
                "ms5_backup_drill_loss_seconds": "3",
                "ms5_backup_drill_bytes": "1024",
                "ms5_backup_drill_last_passed_timestamp_seconds": "1000.5",
            },
        )

    def test_what_was_not_measured_is_left_out(self):
        # As psql shows NULL.
        self.assertEqual(
            set(self.metrics([["2000.5", "0", "", "", "", ""]])),
            {"ms5_backup_drill_timestamp_seconds", "ms5_backup_drill_passed"},
        )

    def test_before_the_first_drill_and_before_the_table_there_are_none(self):
        self.assertEqual(self.metrics([]), {})
        self.assertEqual(self.metrics(SqlError('relation "audit.backup_drills" does not exist')), {})


if __name__ == "__main__":
    unittest.main()
