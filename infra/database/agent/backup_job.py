"""What a CronJob runs: has a member make a backup, shows what it says, and fails when there is none.

Usage: backup_job.py full|diff|incr
"""

import sys

from ask import Ask, AskError
from backups import make_somewhere
from settings import JOB_TLS, Settings


def main(kind):
    settings = Settings(member=False)
    try:
        label = make_somewhere(settings, kind, lambda line: print(line, flush=True), Ask(settings, "backup", JOB_TLS))
    except AskError as error:
        print(f"no backup: {error}", file=sys.stderr)
        return 1
    print(f"backup {label} is complete")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
