import json
import time
import types
import unittest

from ask import Ask, AskError
from backups import make_somewhere

SETTINGS = types.SimpleNamespace(members=["blue-0", "blue-1", "blue-2"])


class Response:
    def __init__(self, lines=(), status=200, ends_with=None):
        self.status = status
        self._lines = [line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines]
        self._ends_with = ends_with

    def read(self):
        if self._ends_with is not None:
            raise self._ends_with
        return b"".join(self._lines)

    def __iter__(self):
        yield from self._lines
        if self._ends_with is not None:
            raise self._ends_with


class FakeAsk(Ask):
    """answers: by member and path, a response or what comes instead of one."""

    def __init__(self, answers):
        self._settings = SETTINGS
        self._answers = answers
        self.asked = []

    def best_members(self, patience=0, wait=lambda _: None):
        """Nobody waits here, unless that is what it is about."""
        return super().best_members(patience, wait)

    def _request(self, name, method, path, body, timeout):
        self.asked.append((name, method, path, body))
        answer = self._answers.get((name, path), AskError("does not answer: refused", gone=True))
        if isinstance(answer, AskError):
            raise answer
        return answer


def status(**said):
    return Response([said])


CLUSTER = {
    ("blue-0", "/status"): status(primary=True, replica=False),
    ("blue-1", "/status"): status(primary=False, replica=True),
    ("blue-2", "/status"): status(primary=False, replica=True),
}


class StatusTest(unittest.TestCase):
    def test_replicas_work_before_the_primary_does(self):
        self.assertEqual(FakeAsk(CLUSTER).best_members(), ["blue-1", "blue-2", "blue-0"])

    def test_whoever_is_neither_is_left_out(self):
        starting = {**CLUSTER, ("blue-1", "/status"): status(primary=False, replica=False)}
        self.assertEqual(FakeAsk(starting).best_members(), ["blue-2", "blue-0"])

    def test_a_cluster_of_several_is_given_time_for_its_first_replica(self):
        answers = {**CLUSTER, ("blue-1", "/status"): status(), ("blue-2", "/status"): status()}
        ask, waited = FakeAsk(answers), []

        def wait(seconds):
            waited.append(seconds)
            if len(waited) == 3:
                answers["blue-2", "/status"] = status(replica=True)

        self.assertEqual(ask.best_members(60, wait), ["blue-2", "blue-0"])
        self.assertEqual(waited, [1, 1, 1])

    def test_but_not_for_ever(self):
        alone = {("blue-0", "/status"): status(primary=True)}
        self.assertEqual(FakeAsk(alone).best_members(0.2, lambda _: time.sleep(0.05)), ["blue-0"])

    def test_one_that_is_alone_by_config_has_nobody_to_wait_for(self):
        ask = FakeAsk({("blue-0", "/status"): status(primary=True)})
        ask._settings = types.SimpleNamespace(members=["blue-0"])
        self.assertEqual(ask.best_members(60, self.fail), ["blue-0"])

    def test_those_that_do_not_answer_are_left_out_however_they_do_it(self):
        for answer in (
            AskError("refused", gone=True),
            Response(ends_with=ConnectionResetError("by peer")),
            Response(ends_with=TimeoutError("timed out")),
            Response([b"<html>"]),
        ):
            self.assertEqual(FakeAsk({**CLUSTER, ("blue-1", "/status"): answer}).best_members(), ["blue-2", "blue-0"])

    def test_the_primary_is_named_and_missed(self):
        self.assertEqual(FakeAsk(CLUSTER).primary(), "blue-0")
        with self.assertRaises(AskError) as raised:
            FakeAsk({**CLUSTER, ("blue-0", "/status"): status(primary=False)}).primary()
        self.assertTrue(raised.exception.gone)


class StreamTest(unittest.TestCase):
    def stream(self, response):
        self.told = []
        return FakeAsk({("blue-1", "/backup"): response}).stream("blue-1", "/backup", {}, self.told.append)

    def broken(self, response):
        with self.assertRaises(AskError) as raised:
            self.stream(response)
        return str(raised.exception), raised.exception.gone

    def test_hands_on_what_is_said_and_returns_what_came_of_it(self):
        # {} is a sign of life.
        self.assertEqual(self.stream(Response([{"line": "one"}, {}, {"line": "two"}, {"result": "label"}])), "label")
        self.assertEqual(self.told, ["one", "two"])

    def test_a_result_may_be_nothing(self):
        self.assertIsNone(self.stream(Response([{"result": None}])))

    def test_a_failure_is_the_members_own(self):
        self.assertEqual(self.broken(Response([{"line": "one"}, {"error": "disk full"}])), ("disk full", False))

    def test_a_refusal_is_no_failure_of_the_network(self):
        reason, gone = self.broken(Response([{"error": "show a certificate"}], status=403))
        self.assertIn("403", reason)
        self.assertIn("show a certificate", reason)
        self.assertFalse(gone)

    def test_a_member_that_goes_away_meanwhile_is_gone(self):
        for end in (None, TimeoutError("timed out"), ConnectionResetError("by peer")):
            reason, gone = self.broken(Response([{"line": "one"}], ends_with=end))
            self.assertIn("broke off", reason)
            self.assertTrue(gone)

    def test_so_is_one_that_ends_in_the_middle_of_a_line(self):
        self.assertEqual(self.broken(Response([b'{"resu'], ends_with=None))[1], True)


class MakeSomewhereTest(unittest.TestCase):
    def make(self, answers):
        self.told = []
        self.ask = FakeAsk({**CLUSTER, **answers})
        self.waited = []
        return make_somewhere(SETTINGS, "diff", self.told.append, self.ask, self.waited.append)

    def asked(self):
        return [name for name, _, path, _ in self.ask.asked if path == "/backup"]

    def test_the_first_replica_makes_it(self):
        self.assertEqual(self.make({("blue-1", "/backup"): Response([{"result": "label"}])}), "label")
        self.assertEqual(self.ask.asked[-1], ("blue-1", "POST", "/backup", {"type": "diff"}))
        self.assertEqual(self.asked(), ["blue-1"])

    def test_when_it_goes_away_the_next_one_does(self):
        answers = {
            ("blue-1", "/backup"): Response([{"line": "begun"}], ends_with=ConnectionResetError("by peer")),
            ("blue-2", "/backup"): Response([{"result": "label"}]),
        }
        self.assertEqual(self.make(answers), "label")
        self.assertEqual(self.asked(), ["blue-1", "blue-2"])
        self.assertEqual(self.told[-1], "blue-2 makes a diff backup")

    def test_the_primary_when_there_is_no_replica_left(self):
        self.assertEqual(self.make({("blue-0", "/backup"): Response([{"result": "label"}])}), "label")
        self.assertEqual(self.asked(), ["blue-1", "blue-2", "blue-0"])

    def test_what_one_refuses_no_other_is_asked_for(self):
        answers = {
            ("blue-1", "/backup"): Response([{"error": "a backup is being made here already"}]),
            ("blue-2", "/backup"): Response([{"result": "label"}]),
        }
        with self.assertRaisesRegex(AskError, "already"):
            self.make(answers)
        self.assertEqual(self.asked(), ["blue-1"])

    def test_with_nobody_left_the_last_reason_is_told(self):
        with self.assertRaisesRegex(AskError, "does not answer: refused"):
            self.make({})
        # A member that went a moment ago may come back: all are asked again, and not for ever.
        self.assertEqual(self.asked(), ["blue-1", "blue-2", "blue-0"] * 4)
        self.assertEqual(len(self.waited), 3)

    def test_a_lock_of_one_that_is_gone_is_waited_for(self):
        answers = {("blue-1", "/backup"): Response([{"error": "backup: [050]: unable to acquire lock on file"}])}
        with self.assertRaisesRegex(AskError, "unable to acquire lock"):
            self.make(answers)
        # No other member is troubled with the same lock.
        self.assertEqual(self.asked(), ["blue-1"] * 4)
        self.assertEqual(len(self.waited), 3)
        # Nobody makes a backup: whoever holds that lock is gone, and every member is told to let go.
        unlocked = {name for name, _, path, _ in self.ask.asked if path == "/unlock"}
        self.assertEqual(unlocked, {"blue-0", "blue-1", "blue-2"})

    def test_a_lock_of_one_that_works_is_left_alone(self):
        answers = {("blue-1", "/backup"): Response([{"error": "backup: [050]: unable to acquire lock on file"}])}
        answers[("blue-2", "/status")] = status(replica=True, backingUp=True)
        with self.assertRaisesRegex(AskError, "unable to acquire lock"):
            self.make(answers)
        self.assertEqual([path for _, _, path, _ in self.ask.asked if path == "/unlock"], [])

    def test_with_nobody_at_all_too(self):
        with self.assertRaisesRegex(AskError, "no member answers"):
            make_somewhere(SETTINGS, "full", lambda _: None, FakeAsk({}), lambda _: None)


if __name__ == "__main__":
    unittest.main()
