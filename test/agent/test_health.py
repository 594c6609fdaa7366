import unittest

from health import is_primary, is_replica

NOW = 1_000_000.0
PRIMARY = {"state": "running", "role": "primary", "dcs_last_seen": NOW - 1}


class HealthTest(unittest.TestCase):
    def test_a_primary_that_has_just_seen_its_lock_gets_clients(self):
        self.assertTrue(is_primary(PRIMARY, True, NOW))

    def test_one_that_was_frozen_does_not_before_it_has_looked(self):
        self.assertFalse(is_primary({**PRIMARY, "dcs_last_seen": NOW - 7}, True, NOW))

    def test_without_the_api_server_the_other_members_vouch(self):
        alone = {**PRIMARY, "dcs_last_seen": NOW - 60, "failsafe_mode_is_active": True}
        self.assertTrue(is_primary(alone, True, NOW))
        # As Patroni answers between two rounds of that mode.
        self.assertTrue(is_primary(alone, False, NOW))

    def test_one_that_has_lost_its_lock_does_not(self):
        self.assertFalse(is_primary(PRIMARY, False, NOW))

    def test_what_starts_or_recovers_gets_none(self):
        self.assertFalse(is_primary({**PRIMARY, "state": "starting"}, True, NOW))
        self.assertFalse(is_primary({}, True, NOW))
        self.assertFalse(is_replica({"state": "starting", "role": "replica"}))
        self.assertFalse(is_replica({}))

    def test_a_replica_is_no_primary(self):
        self.assertTrue(is_replica({"state": "running", "role": "replica"}))
        self.assertFalse(is_primary({**PRIMARY, "role": "replica"}, True, NOW))


if __name__ == "__main__":
    unittest.main()
