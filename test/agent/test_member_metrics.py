import ssl
import subprocess
import tempfile
import unittest

from certificate import CertificateError, certificate_ends
from member_metrics import lag_bytes, lag_seconds, member_metrics, role_metrics

NOW = 1_790_000_000


def told(lines):
    return {name if not labels else (name, *labels.values()): value for name, labels, value in lines}


PRIMARY = {
    "state": "running",
    "role": "primary",
    "timeline": 4,
    "xlog": {"location": 100},
    "replication": [
        {"application_name": "blue-1", "state": "streaming", "sync_state": "quorum"},
        {"application_name": "blue-2", "state": "catchup", "sync_state": "quorum"},
        {"application_name": "pgbackrest", "state": "streaming", "sync_state": "async"},
    ],
}
REPLICA = {
    "state": "running",
    "role": "replica",
    "timeline": 4,
    "replication_state": "streaming",
    "xlog": {"received_location": 100, "replayed_location": 100, "replayed_timestamp": "2026-09-21 13:20:00.500000 UTC"},
}


class RoleTest(unittest.TestCase):
    def test_a_primary_counts_those_that_have_each_write(self):
        self.assertEqual(
            told(role_metrics(PRIMARY, NOW)),
            {
                "ms5_member_running": 1,
                "ms5_member_primary": 1,
                "ms5_member_timeline": 4,
                "ms5_cluster_synchronous_standbys": 1,
            },
        )

    def test_a_replica_says_whether_it_streams_and_how_old_it_is(self):
        self.assertEqual(
            told(role_metrics(REPLICA, NOW)),
            {
                "ms5_member_running": 1,
                "ms5_member_primary": 0,
                "ms5_member_timeline": 4,
                "ms5_member_streaming": 1,
                "ms5_member_lag_seconds": 0,
            },
        )

    def test_one_that_does_not_run_is_neither(self):
        self.assertEqual(told(role_metrics({}, NOW)), {"ms5_member_running": 0, "ms5_member_primary": 0})
        starting = {"state": "starting", "role": "primary"}
        self.assertEqual(told(role_metrics(starting, NOW))["ms5_member_primary"], 0)


class LagTest(unittest.TestCase):
    behind = {"received_location": 100, "replayed_location": 90, "replayed_timestamp": "2026-09-21 13:20:00.500000 UTC"}

    def test_is_the_age_of_what_was_replayed_last(self):
        self.assertAlmostEqual(lag_seconds(self.behind, True, NOW + 10), NOW + 10 - 1789996800.5)

    def test_is_also_told_of_one_that_is_cut_off_and_knows_of_nothing_newer(self):
        cut_off = {**self.behind, "replayed_location": 100}
        self.assertGreater(lag_seconds(cut_off, False, NOW), 0)
        self.assertEqual(lag_seconds(cut_off, True, NOW), 0)

    def test_of_one_that_has_replayed_nothing_is_not_known(self):
        self.assertIsNone(lag_seconds({"received_location": 1, "replayed_location": 0}, True, NOW))

    def test_in_bytes_is_what_patroni_says_of_this_member(self):
        cluster = {"members": [{"name": "blue-0"}, {"name": "blue-1", "lag": 4096}, {"name": "blue-2", "lag": "unknown"}]}
        self.assertEqual(lag_bytes("blue-1", cluster), 4096)
        self.assertIsNone(lag_bytes("blue-0", cluster))
        self.assertIsNone(lag_bytes("blue-2", cluster))
        self.assertIsNone(lag_bytes("blue-1", None))


class MemberTest(unittest.TestCase):
    def test_tells_of_volumes_and_leaves_out_a_certificate_that_cannot_be_read(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/bad.crt", "w", encoding="ascii") as file:
                file.write("nothing")
            path, ends = certificate(folder, 90)
            lines = told(
                member_metrics(
                    "blue-1",
                    ["blue-0", "blue-1"],
                    REPLICA,
                    None,
                    now=lambda: NOW,
                    volumes={"data": folder},
                    certificates={"server": path, "robot": f"{folder}/bad.crt", "ca": f"{folder}/none"},
                )
            )
        self.assertEqual(lines["ms5_cluster_members"], 2)
        self.assertGreaterEqual(lines[("ms5_volume_size_bytes", "data")], lines[("ms5_volume_free_bytes", "data")])
        self.assertEqual(lines[("ms5_certificate_expiry_timestamp_seconds", "server")], ends)
        self.assertEqual([key for key in lines if key[0] == "ms5_certificate_expiry_timestamp_seconds"], [("ms5_certificate_expiry_timestamp_seconds", "server")])


class CertificateTest(unittest.TestCase):
    def test_ends_when_openssl_says_so_also_after_2049(self):
        texts, ends = [], []
        with tempfile.TemporaryDirectory() as folder:
            for days in (1, 90, 20_000):
                path, end = certificate(folder, days)
                with open(path, encoding="ascii") as file:
                    texts.append(file.read())
                ends.append(end)
        self.assertEqual(certificate_ends("".join(texts)), ends)

    def test_what_is_none_is_refused(self):
        for text in ("", "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"):
            with self.assertRaises(CertificateError):
                certificate_ends(text)


def certificate(folder, days):
    """(path of one that holds for so many days, when it ends as openssl says)."""
    path = f"{folder}/{days}.crt"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-days", str(days), "-keyout", f"{folder}/key", "-out", path)
    return path, ssl.cert_time_to_seconds(openssl("x509", "-in", path, "-noout", "-enddate").strip().removeprefix("notAfter="))


def openssl(*args):
    return subprocess.run(["openssl", *args], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    unittest.main()
