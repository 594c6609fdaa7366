"""What the pod tells the agent: one JSON file, rendered with the rest of the cluster (infra/database/agentSettings.ts)."""

import json
import os


SETTINGS = "/ms5/settings/agent.json"


class Settings:
    def __init__(self):
        with open(SETTINGS, encoding="utf8") as file:
            values = json.load(file)
        # The pod's own name: blue-0.
        self.name = os.environ["POD_NAME"]
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
POSTGRES_BIN = "/usr/lib/postgresql/17/bin"
PATRONI_CONFIG = "/ms5/settings/patroni.yml"
PATRONI_PORT = 8008
AGENT_PORT = 8009
