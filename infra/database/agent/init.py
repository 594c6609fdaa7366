"""The first process of a database pod: runs the agent, hands on signals, and fetches the dead.

PostgreSQL becomes its child whenever Patroni dies. Fetching any child would take exit codes from under the agent's own
feet, so that is a process of its own.
"""

import os
import signal
import sys


def main():
    agent = os.fork()
    if agent == 0:
        os.execv(sys.executable, [sys.executable, os.path.join(os.path.dirname(__file__), "main.py")])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, lambda number, _: os.kill(agent, signal.SIGTERM if number == signal.SIGINT else number))
    while True:
        pid, status = os.wait()
        if pid == agent:
            sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 1)


main()
