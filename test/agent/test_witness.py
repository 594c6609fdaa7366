"""The witness, attacked: whatever is cut, frozen, restarted or late, no acknowledged write is lost."""

import logging
import os
import unittest

import witness
from witness import Witness
from world import Member, World

logging.disable(logging.CRITICAL)

SEEDS = int(os.environ.get("SEEDS", "150"))
STEPS = 1500


def witness_of(world, silence=3):
    def make(member):
        return Witness(
            name=member.name,
            scope="blue",
            silence=silence,
            kube=member,
            fence=world.fences[member.name],
            answers=lambda other: world.reaches(member.name, other) and world.random.random() < 0.95,
            follows=lambda: world.set_to.get(member.name),
            progress=lambda: None,
            now=lambda: world.now,
            on_free=lambda: None,
            wait=lambda seconds: None,
        )

    return make


def attack(seed, break_it=None):
    """One random history. Returns how often the lock was taken; raises AssertionError where a write would be lost."""
    world = World(seed)
    if break_it is not None:
        break_it(world)
    members = {name: Member(world, name, witness_of(world)) for name in world.names}
    try:
        for _ in range(STEPS):
            step(world, members)
    finally:
        for member in members.values():
            member.end()
    return int(world.api.objects["blue-leader"]["annotations"]["transitions"])


def step(world, members):
    chance = world.random.random()
    name = world.random.choice(world.names)
    if chance < 0.60:
        if name not in world.frozen:
            members[name].turn()
    elif chance < 0.70:
        # A former primary that does not know it yet is tried as well.
        world.write(world.random.choice([world.primary, world.fork or world.primary]))
    elif chance < 0.85:
        world.now += world.random.choice([0.1, 0.2, 0.3, 1])
    elif chance < 0.89:
        if (world.primary, "api") not in world.cut and world.primary not in world.frozen:
            world.api.renew(world.primary)
    elif chance < 0.94:
        world.elect()
    elif chance < 0.97:
        follow(world, name)
    elif chance < 0.985:
        world.api.deliver_late()
    else:
        # The primary is what it is about.
        disturb(world, name if world.random.random() < 0.3 else world.primary)


def follow(world, name):
    """Patroni turns a standby to the primary it sees; a former primary that has seen the new one ends and follows."""
    if name in world.frozen or (name, "api") in world.cut:
        return
    if name == world.fork:
        world.fork = None
        world.wal[name] = min(world.wal[name], world.wal[world.primary])
    if name != world.primary:
        world.set_to[name] = world.primary
        if world.fences[name].is_open and world.reaches(name, world.primary):
            world.wal[name] = max(world.wal[name], world.wal[world.primary])


def disturb(world, name):
    others = [other for other in [*world.names, "api"] if other != name]
    what = world.random.random()
    if what < 0.35:
        # Everything is well again, for once.
        world.cut.clear()
        world.frozen.clear()
    elif what < 0.55:
        world.frozen.add(name)
    elif what < 0.75:
        # Cut off from everyone, as a node is.
        world.cut |= {(name, other) for other in others} | {(other, name) for other in others}
    else:
        world.cut.add((name, world.random.choice(others)))


class WitnessTest(unittest.TestCase):
    def test_no_history_loses_an_acknowledged_write(self):
        failovers = sum(attack(seed) for seed in range(SEEDS))
        # Histories in which nothing happens would show nothing.
        self.assertGreater(failovers, SEEDS / 4)

    def test_the_attack_finds_a_fence_that_does_not_close(self):
        def break_it(world):
            for fence in world.fences.values():
                fence.close = lambda term, fence=fence: setattr(fence, "term", term)

        self.assert_found(break_it)

    def test_the_attack_finds_a_fence_that_opens_before_the_member_has_turned(self):
        self.assert_found_with(Witness, "_may_open", lambda self, lock: True)

    def test_the_attack_finds_a_promise_taken_back_without_a_swap(self):
        self.assert_found_with(Witness, "_take_back", lambda self, lock: self.fence.open())

    def test_the_attack_finds_a_release_without_enough_promises(self):
        self.assert_found_with(witness, "may_release", lambda lock, synchronous: lock.holder is not None)

    def assert_found_with(self, owner, name, broken):
        original = getattr(owner, name)
        setattr(owner, name, broken)
        try:
            self.assert_found()
        finally:
            setattr(owner, name, original)

    def assert_found(self, break_it=None):
        with self.assertRaises(AssertionError):
            for seed in range(SEEDS * 5):
                attack(seed, break_it)


if __name__ == "__main__":
    unittest.main()
