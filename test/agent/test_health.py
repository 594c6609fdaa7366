import io
import json
import logging
import threading
import unittest
from unittest import mock

import health
from ask import AskError
from backrest import BackrestError
from health import carry_out, is_primary, is_replica, robot
from sql import SqlError

logging.disable(logging.CRITICAL)

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


class RobotTest(unittest.TestCase):
    def test_is_named_by_its_certificate(self):
        # As ssl.SSLSocket.getpeercert() returns it.
        certificate = {"subject": ((("organizationName", "ms5"),), (("commonName", "backup"),)), "notAfter": "…"}
        self.assertEqual(robot(certificate), "backup")

    def test_without_a_certificate_nobody_is_one(self):
        # Without one that was verified getpeercert() returns None or {}.
        for certificate in (None, {}, {"subject": ()}, {"subject": ((("organizationName", "backup"),),)}):
            self.assertIsNone(robot(certificate))


class CarryOutTest(unittest.TestCase):
    def said(self, work, body=None):
        stream = io.BytesIO()
        carry_out(work, body, stream)
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    def test_says_what_is_told_and_what_came_of_it(self):
        def work(body, tell):
            tell("one")
            tell("two")
            return {"label": body["type"]}

        self.assertEqual(
            self.said(work, {"type": "full"}), [{"line": "one"}, {"line": "two"}, {"result": {"label": "full"}}]
        )

    def test_an_expected_failure_is_told_in_its_own_words(self):
        for kind in (AskError, BackrestError, SqlError):

            def work(_, tell, kind=kind):
                tell("begun")
                raise kind("disk full")

            self.assertEqual(self.said(work), [{"line": "begun"}, {"error": "disk full"}])

    def test_a_bug_says_nothing_of_what_it_knew(self):
        def work(*_):
            raise KeyError("password")

        self.assertEqual(self.said(work), [{"error": "a bug of the agent: its log has more"}])

    def test_shows_signs_of_life_while_nothing_is_said(self):
        beaten = threading.Event()

        class Stream(io.BytesIO):
            def write(self, text):
                if text == b"{}\n":
                    beaten.set()
                return super().write(text)

        stream = Stream()
        with mock.patch.object(health, "HEARTBEAT", 0.01):
            carry_out(lambda *_: beaten.wait(10), None, stream)
        lines = stream.getvalue().splitlines()
        self.assertEqual(lines[0], b"{}")
        # Whoever reads stops at the result.
        self.assertIn(b'{"result": true}', lines)

    def test_is_brought_to_its_end_when_nobody_listens_any_more(self):
        done = []

        class Gone(io.BytesIO):
            def write(self, _):
                raise BrokenPipeError

        def work(_, tell):
            tell("one")
            tell("two")
            done.append(True)

        carry_out(work, None, Gone())
        self.assertEqual(done, [True])


if __name__ == "__main__":
    unittest.main()
