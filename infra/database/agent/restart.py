"""Restarts this pod's PostgreSQL through Patroni: run in the pod by infra/database/rollout."""

import sys

from patroni_api import Peers
from settings import Settings

sys.exit(Peers(Settings(), timeout=60).restart_own())
