"""A small world for the witnesses to be attacked in: an API server with compare and swap whose answers get lost or come
late, members that freeze, restart and lose sight of each other, and a primary that acknowledges whenever it can.

Every call a witness makes is a point at which any other member may go first: each runs in a thread of its own, and only
one of them at a time, chosen by a seeded random.
"""

import random
import threading

from kube import Conflict, Unreachable


class World:
    def __init__(self, seed, members=3):
        self.random = random.Random(seed)
        self.now = 0.0
        self.names = [f"blue-{index}" for index in range(members)]
        self.primary = self.names[0]
        self.api = Api(self)
        # What each member has flushed; acknowledged writes are in here too, or are lost.
        self.wal = {name: 0 for name in self.names}
        self.acknowledged = 0
        self.timeline = 1
        # Pairs that do not reach each other, in this direction.
        self.cut = set()
        self.frozen = set()
        self.fences = {name: ModelFence(self, name) for name in self.names}
        # Whom Patroni has set each standby to stream from.
        self.set_to = {name: self.primary for name in self.names[1:]}
        self.fork = None

    def reaches(self, one, other):
        return (one, other) not in self.cut and not {one, other} & self.frozen

    def standbys_of(self, primary):
        """Those that would take WAL from this primary now."""
        return [
            name
            for name in self.names
            if name != primary
            and self.set_to.get(name) == primary
            and self.fences[name].is_open
            and self.reaches(name, primary)
        ]

    def write(self, primary):
        """A client's write at a server that believes itself primary. Acknowledged when one voter has it too."""
        if primary in self.frozen or self.fork_of(primary) is None:
            return
        takers = self.standbys_of(primary)
        if not takers:
            return
        taker = self.random.choice(takers)
        if primary != self.primary:
            raise AssertionError(f"{primary} acknowledges a write that {taker} took, but {self.primary} is the primary")
        self.wal[primary] += 1
        self.wal[taker] = self.wal[primary]
        self.acknowledged = self.wal[primary]

    def fork_of(self, name):
        return self.timeline if name == self.primary or name == self.fork else None

    def elect(self):
        """Patroni's election, once the lock is free: a candidate with the votes of a quorum, none of them ahead."""
        metadata = self.api.objects["blue-leader"]
        if metadata["annotations"].get("leader"):
            return
        if self.random.random() < 0.2 and self.primary not in self.frozen and (self.primary, "api") not in self.cut:
            # A primary that comes back in time takes its own lock again: a new term, but nobody was promoted.
            self.api.take(self.primary)
            return
        voters = self.api.voters()
        quorum = self.api.quorum()
        candidates = [name for name in self.names if name != self.primary and name not in self.frozen]
        self.random.shuffle(candidates)
        for candidate in candidates:
            seen = [name for name in voters if name != candidate and self.reaches(candidate, name)]
            votes = len([name for name in seen if self.wal[name] <= self.wal[candidate]]) - (candidate not in voters)
            if any(self.wal[name] > self.wal[candidate] for name in seen) or votes < quorum:
                continue
            if self.wal[candidate] < self.acknowledged:
                raise AssertionError(f"{candidate} is promoted at {self.wal[candidate]}, but {self.acknowledged} was acknowledged")
            self.fork, self.primary = self.primary, candidate
            self.set_to.pop(candidate, None)
            self.api.take(candidate)
            return


class ModelFence:
    """As agent/fence.py: what is closed stays closed through a restart."""

    def __init__(self, world, name):
        self._world = world
        self.name = name
        self.is_open = True
        self.term = None

    def open(self):
        self.is_open = True
        self.term = None

    def close(self, term):
        self.is_open = False
        self.term = term


class Api:
    """ConfigMaps with versions. A patch may be applied and its answer lost, or still be on its way when its sender gave up."""

    def __init__(self, world):
        self._world = world
        self._version = 1
        self.objects = {}
        # (sender, name, version, annotations) of patches that arrive later than their sender waits.
        self.late = []
        self._set("blue-leader", {"leader": world.names[0], "acquireTime": "t0", "transitions": "0", "renewTime": "0"})
        self._set(
            "blue-sync",
            {"leader": world.names[0], "sync_standby": ",".join(world.names[1:]), "quorum": str(len(world.names) - 2)},
        )

    def voters(self):
        return self.objects["blue-sync"]["annotations"]["sync_standby"].split(",")

    def quorum(self):
        return int(self.objects["blue-sync"]["annotations"]["quorum"])

    def read(self, name):
        metadata = self.objects[name]
        return {"resourceVersion": metadata["resourceVersion"], "annotations": dict(metadata["annotations"])}

    def patch(self, name, version, annotations):
        metadata = self.objects[name]
        if metadata["resourceVersion"] != version:
            raise Conflict(name)
        merged = {**metadata["annotations"], **annotations}
        merged = {key: value for key, value in merged.items() if value is not None}
        # A patch that changes nothing makes no new version: so does the real one.
        if merged != metadata["annotations"]:
            self._set(name, merged)

    def renew(self, holder):
        """What Patroni does each second; None of it once the lock is somebody else's."""
        metadata = self.objects["blue-leader"]
        if metadata["annotations"].get("leader") == holder:
            self._set("blue-leader", {**metadata["annotations"], "renewTime": str(self._version)})

    def take(self, holder):
        annotations = self.objects["blue-leader"]["annotations"]
        transitions = str(int(annotations["transitions"]) + 1)
        self._set(
            "blue-leader",
            {**annotations, "leader": holder, "acquireTime": f"t{self._version}", "transitions": transitions, "renewTime": "0"},
        )
        names = [name for name in self._world.names if name != holder]
        self._set("blue-sync", {"leader": holder, "sync_standby": ",".join(names), "quorum": str(len(names) - 1)})

    def deliver_late(self):
        if self.late:
            name, version, annotations = self.late.pop(self._world.random.randrange(len(self.late)))
            try:
                self.patch(name, version, annotations)
            except Conflict:
                pass

    def _set(self, name, annotations):
        self._version += 1
        self.objects[name] = {"resourceVersion": str(self._version), "annotations": annotations}


class Member:
    """One witness in its own thread. `turn()` lets it go on to its next call to the outside."""

    def __init__(self, world, name, make_witness):
        self._world = world
        self.name = name
        self._go = threading.Semaphore(0)
        self._done = threading.Semaphore(0)
        self._ending = False
        self._make_witness = make_witness
        self.failure = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def turn(self):
        self._go.release()
        self._done.acquire()
        if self.failure is not None:
            raise self.failure

    def end(self):
        self._ending = True
        self._go.release()
        self._thread.join()

    def pause(self):
        self._done.release()
        self._go.acquire()
        if self._ending:
            raise SystemExit

    def _run(self):
        self._go.acquire()
        try:
            while not self._ending:
                witness = self._make_witness(self)
                # A restart forgets what was seen; the fence does not.
                for _ in range(self._world.random.randrange(1, 30)):
                    witness.look()
                    self.pause()
        except SystemExit:
            pass
        except BaseException as error:
            self.failure = error
            self._done.release()

    # What the witness calls:

    def config_map(self, name):
        self.pause()
        if (self.name, "api") in self._world.cut:
            raise Unreachable(name)
        return self._world.api.read(name)

    def annotate_pod(self, name, annotations):
        self.pause()

    def annotate_config_map(self, name, version, annotations):
        self.pause()
        world = self._world
        if (self.name, "api") in world.cut:
            raise Unreachable(name)
        chance = world.random.random()
        if chance < 0.1:
            world.api.late.append((name, version, annotations))
            raise Unreachable("no answer")
        world.api.patch(name, version, annotations)
        if chance < 0.2:
            raise Unreachable("answer lost")
        self.pause()
