"""Patroni's leader lock and the list of synchronous members, as they stand in its two ConfigMaps.

Patroni 4 keeps both in annotations (patroni/dcs/kubernetes.py): `leader`, `acquireTime`, `renewTime`, `transitions` in
`SCOPE-leader`; `leader`, `sync_standby`, `quorum` in `SCOPE-sync`. Ours beside them: a promise of each member.
"""

PROMISE = "ms5.io/promise."
FENCED = "ms5.io/fenced"


class Lock:
    """One reading of `SCOPE-leader`.

    `holder`: the member that may write, or None. `term`: names one uninterrupted holding; a new one begins whenever
    the lock is taken, also by the same member. `renewed`: changes at each renewal.
    """

    def __init__(self, metadata):
        annotations = metadata.get("annotations") or {}
        self.version = metadata["resourceVersion"]
        self.holder = annotations.get("leader") or None
        self.term = "/".join(annotations.get(key, "") for key in ("leader", "acquireTime", "transitions"))
        self.renewed = annotations.get("renewTime")
        self.promised = {
            key[len(PROMISE) :] for key, term in annotations.items() if key.startswith(PROMISE) and term == self.term
        }


class Synchronous:
    """One reading of `SCOPE-sync`.

    `voters`: members of which at least `len(voters) - quorum` have every acknowledged write. So any `quorum + 1` of
    them have a member among themselves that has it.
    """

    def __init__(self, metadata):
        annotations = metadata.get("annotations") or {}
        self.version = metadata["resourceVersion"]
        self.primary = annotations.get("leader")
        self.voters = {name for name in (annotations.get("sync_standby") or "").split(",") if name}
        self.quorum = int(annotations.get("quorum") or 0)


def may_release(lock, synchronous):
    """Whether enough members have promised to take nothing more from the holder: see docs/failover.md for the proof.

    Every set of members whose acknowledgement the holder needs has then a member that will not give it.
    """
    if lock.holder is None or synchronous.primary != lock.holder or not synchronous.voters:
        return False
    return len(lock.promised & synchronous.voters) >= synchronous.quorum + 1
