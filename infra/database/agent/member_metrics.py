"""What this member tells Prometheus of itself: its part in the cluster, its volumes, its certificates."""

import datetime
import os
import time

from certificate import CertificateError, certificate_ends
from settings import CA, ROBOT_TLS, SERVER_TLS, VOLUMES

CERTIFICATES = {
    "server": f"{SERVER_TLS}/tls.crt",
    "robot": f"{ROBOT_TLS}/patroni.crt",
    "ca": CA,
}


def member_metrics(name, members, status, cluster, now=time.time, volumes=VOLUMES, certificates=CERTIFICATES):
    """Lines of metrics (name, labels, value).

    status: what Patroni says of this member. cluster: what it says of all, None while it does not answer.
    """
    yield from role_metrics(status, now())
    if (lag := lag_bytes(name, cluster)) is not None:
        yield "ms5_member_lag_bytes", {}, lag
    yield "ms5_cluster_members", {}, len(members)
    for volume, path in volumes.items():
        room = os.statvfs(path)
        yield "ms5_volume_size_bytes", {"volume": volume}, room.f_blocks * room.f_frsize
        yield "ms5_volume_free_bytes", {"volume": volume}, room.f_bavail * room.f_frsize
    for certificate, path in certificates.items():
        try:
            with open(path, encoding="ascii") as file:
                # In a bundle the first to end is what breaks something.
                yield "ms5_certificate_expiry_timestamp_seconds", {"certificate": certificate}, min(certificate_ends(file.read()))
        except (OSError, ValueError, CertificateError):
            # Its absence is what an alert sees; the others are still worth telling.
            continue


def role_metrics(status, now):
    """Of what Patroni says of this member; empty while it does not answer."""
    running = status.get("state") in ("running", "streaming")
    primary = running and status.get("role") == "primary"
    yield "ms5_member_running", {}, int(running)
    yield "ms5_member_primary", {}, int(primary)
    if "timeline" in status:
        yield "ms5_member_timeline", {}, status["timeline"]
    if primary:
        standbys = [
            standby
            for standby in status.get("replication", [])
            if standby.get("state") == "streaming" and standby.get("sync_state") in ("sync", "quorum")
        ]
        yield "ms5_cluster_synchronous_standbys", {}, len(standbys)
    elif running:
        streaming = status.get("replication_state") == "streaming"
        yield "ms5_member_streaming", {}, int(streaming)
        if (behind := lag_seconds(status.get("xlog", {}), streaming, now)) is not None:
            yield "ms5_member_lag_seconds", {}, behind


def lag_seconds(xlog, streaming, now):
    """How old what a replica shows is. 0 when it has replayed all that it knows of; None when it has never replayed anything.

    A replica that is cut off does not know of anything newer: there the age of its last transaction is what is known.
    """
    if streaming and xlog.get("received_location") == xlog.get("replayed_location"):
        return 0
    replayed = xlog.get("replayed_timestamp")
    if replayed is None:
        return None
    return max(0, now - datetime.datetime.fromisoformat(replayed.replace(" UTC", "+00:00")).timestamp())


def lag_bytes(name, cluster):
    """Log that this member has not got yet, as Patroni says of the whole cluster. None where it does not know, and for a primary."""
    for member in (cluster or {}).get("members", []):
        if member.get("name") == name:
            lag = member.get("lag")
            return lag if isinstance(lag, int) else None
    return None
