"""How a cluster begins from its backups instead of empty: Patroni runs this on the first member, once.

Usage: bootstrap.py TARGET [what Patroni adds], with TARGET as JSON. Patroni starts PostgreSQL afterwards, and waits until
recovery is over; files of which that is not true never become a primary.
"""

import json
import sys

from findings import described, failed
from restore import RestoreError, fetch, findings_before
from settings import DATA, VOLUMES


def main(target):
    findings, backup = findings_before(target, VOLUMES["data"])
    try:
        if failed(findings) or backup is None:
            raise RestoreError(described(failed(findings)))
        # WAL belongs on its own volume, where the backup's link leads.
        fetch(target, backup, DATA, lambda line: print(line, flush=True), "--link-all")
    except RestoreError as error:
        print(f"cannot begin from the backups: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
