"""Releases the lock of a primary that is gone long before it expires, without ever risking a write.

Each member that is no primary runs one. The proof is docs/failover.md; its rules are marked here as R1 to R4. Time only
says when it is worth trying: no rule depends on a clock.
"""

import logging
import uuid

from kube import Conflict, Unreachable
from lock import FENCED, PROMISE, Lock, Synchronous, may_release

log = logging.getLogger("witness")

# Part of the silence after which the holder is asked directly, so that both are over at the same time.
SUSPICION = 0.5
# Seconds for which an answer that did not come speaks for itself.
ASK_AGAIN = 2
# Seconds in which other members' Patroni hear of a change of a pod.
HEARD = 0.15
# Seconds for which a look at the own lock speaks for the present.
OWN_FOR = 2


class Witness:
    """
    name: this member. scope: the Patroni cluster. silence: seconds without a sign of life before it is worth trying.
    kube: reads and swaps ConfigMaps. fence: holds the replication key. answers(member): whether its Patroni answers.
    follows(): the member this server is set to stream from, or None. progress(): how far WAL has arrived; None while
    none does.
    now(): seconds of a clock that only goes forward. on_free(): called at each look at a lock that nobody has.
    wait(seconds): as time.sleep.
    """

    def __init__(self, name, scope, silence, kube, fence, answers, follows, progress, now, on_free, wait):
        self.name = name
        self.scope = scope
        self._leader = f"{scope}-leader"
        self.silence = silence
        self.kube = kube
        self.fence = fence
        self.answers = answers
        self.follows = follows
        self.progress = progress
        self.now = now
        self.on_free = on_free
        self.wait = wait
        self._seen = None
        self._seen_at = None
        self._last_look = 0.0
        self._unanswered = 0
        self._asked_at = 0.0
        self._own_at = None

    def holds_lock(self):
        """Whether this member had the lock when it last looked, a moment ago."""
        own_at = self._own_at
        return own_at is not None and self.now() - own_at < OWN_FOR

    def look(self):
        """One look, and what follows from it. Returns whether the next one should come at once.

        To be called a few times a second; never raises for what is outside.
        """
        try:
            metadata = self.kube.config_map(self._leader)
            if metadata is None:
                # Nobody has ever held the lock: the cluster is being made.
                self.fence.open()
                return False
            return self._act(Lock(metadata))
        except Unreachable as error:
            # R4: without the API server nothing is decided.
            self._seen = None
            log.warning("no look at the lock: %s", error)
            return False
        except Conflict:
            # Somebody was faster: the next look shows what is true now.
            return True

    def _act(self, lock):
        gone = self._holder_is_gone(lock)
        if lock.holder != self.name:
            self._own_at = None
        if lock.holder is None:
            # R1: what was promised holds until somebody has the lock.
            self.on_free()
            return False
        if lock.holder == self.name:
            self._own_at = self.now()
            self.fence.open()
            return False
        if self.name in lock.promised:
            # Also after a restart: the promise is older than this process.
            self.fence.close(lock.term)
        if self.fence.term == lock.term:
            return self._keep_promise(lock) if gone else self._take_back(lock)
        if self.fence.term is not None and not self._may_open(lock):
            # Writes may be waiting for this member.
            return True
        if not gone:
            self.fence.open()
            return False
        log.warning("%s is silent: promising to take nothing more from it in term %s", lock.holder, lock.term)
        # R1: first closed, then said.
        self.fence.close(lock.term)
        return self._keep_promise(lock)

    def _may_open(self, lock):
        """R3: after another member has taken the lock, not before this server has turned to it."""
        return lock.holder == self.fence.term.split("/")[0] or self.follows() == lock.holder

    def _keep_promise(self, lock):
        if self.name not in lock.promised:
            self.kube.annotate_config_map(self._leader, lock.version, {PROMISE + self.name: lock.term})
            return True
        self._release(lock)
        return False

    def _take_back(self, lock):
        """R2: by a change of the object even where no promise is seen, so that one still on its way comes too late."""
        self.kube.annotate_config_map(self._leader, lock.version, {PROMISE + self.name: f"taken back {uuid.uuid4()}"})
        log.warning("%s is there after all: promise taken back", lock.holder)
        self.fence.open()
        return False

    def _release(self, lock):
        metadata = self.kube.config_map(f"{self.scope}-sync")
        if metadata is None:
            return
        synchronous = Synchronous(metadata)
        if not may_release(lock, synchronous):
            return
        # The order matters: a holder that changes its synchronous members after this has renewed its lock after
        # `lock` was read, and then the release finds another version.
        self.kube.annotate_config_map(f"{self.scope}-sync", synchronous.version, {FENCED: lock.term})
        self._spare_the_question(lock.holder)
        self.wait(HEARD)
        self.kube.annotate_config_map(self._leader, lock.version, {"leader": None})
        log.warning("released the lock of %s, promised by %s", lock.holder, ", ".join(sorted(lock.promised)))

    def _spare_the_question(self, holder):
        """Candidates ask every member that says where it is, and wait 2 s for one that does not answer.

        A holder that is there after all says so again in its next turn.
        """
        try:
            self.kube.annotate_pod(holder, {"status": None})
        except (Conflict, Unreachable) as error:
            log.warning("candidates will wait for an answer of %s: %s", holder, error)

    def _holder_is_gone(self, lock):
        now = self.now()
        # After a longer pause of our own, what we saw before says nothing.
        blind = self._seen is None or now - self._last_look > self.silence
        self._last_look = now
        progress = self.progress()
        if progress is None and not blind:
            progress = self._seen[2]
        sign = (lock.term, lock.renewed, progress)
        if blind or sign != self._seen:
            self._seen = sign
            self._seen_at = now
            self._unanswered = 0
            return False
        if lock.holder is None or lock.holder == self.name or now - self._seen_at < SUSPICION * self.silence:
            return False
        # Once it is known not to answer, asking at each turn would only make the turns longer.
        if self._unanswered < 2 or now - self._asked_at > ASK_AGAIN:
            self._unanswered = 0 if self.answers(lock.holder) else self._unanswered + 1
            self._asked_at = self.now()
        return self._unanswered >= 2 and self.now() - self._seen_at >= self.silence
