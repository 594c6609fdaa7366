"""What the pod tells the agent: one JSON file, rendered with the rest of the cluster (infra/database/agentSettings.ts)."""

import json
import os


SETTINGS = "/ms5/settings/agent.json"


class Settings:
    def __init__(self, member=True):
        with open(SETTINGS, encoding="utf8") as file:
            values = json.load(file)
        # The pod's own name: blue-0. Jobs are nobody's member.
        self.name = os.environ["POD_NAME"] if member else None
        # blue
        self.scope = values["scope"]
        # Name of each member below the headless service, with {name} for the member.
        self.host_pattern = values["hostPattern"]
        # Seconds without a sign of life of the primary before its lock is worth trying to release.
        self.silence = values["silenceSeconds"]
        # Bytes left on a volume below which applications may only read.
        self.guard = {"data": values["dataGuardBytes"], "wal": values["walGuardBytes"]}
        self.database = values["database"]
        self.admin = values["admin"]
        # Names of all members; the witness asks the API server who is there, backups must know who should be.
        self.members = values["members"]
        # None: nobody has said where backups go.
        self.backups = values.get("backups")

    def host(self, name):
        return self.host_pattern.format(name=name)


# Where things are in the pod; infra/database/patroniConfig.ts has the same.
DATA = "/data/pgdata"
VOLUMES = {"data": "/data", "wal": "/wal"}
RUN = "/run/ms5"
SOCKET = "/run/postgresql"
CA = "/tls/ca/ca.pem"
SERVER_TLS = "/tls/server"
ROBOT_TLS = "/tls/robots"
CREDENTIALS = "/credentials"
# Of pods that are no members.
JOB_TLS = "/tls/job"
BACKUP_KEYS = "/backup-keys"
# What pgBackRest keeps between two calls, on the volume of the WAL that it is about.
BACKREST_SPOOL = "/wal/pgbackrest"
BACKREST_PORT = 8432
# There while PostgreSQL is to end at once: whoever archives must not hold that up.
LEAVING = f"{RUN}/leaving"
POSTGRES_BIN = "/usr/lib/postgresql/17/bin"
PATRONI_CONFIG = "/ms5/settings/patroni.yml"
PATRONI_PORT = 8008
AGENT_PORT = 8009
