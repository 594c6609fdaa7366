"""Statements for the server of this pod, by its own psql over the socket, where the operating system vouches for us."""

import subprocess

from settings import POSTGRES_BIN, SOCKET


class SqlError(Exception):
    """The server did not run it, or is not there."""


def query(statement, database="postgres", timeout=10):
    """Rows as lists of text. The statement goes by stdin: it may hold what no process list should show."""
    command = [
        f"{POSTGRES_BIN}/psql",
        *("-h", SOCKET, "-U", "postgres", "-d", database),
        *("--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--field-separator=\t"),
        *("-v", "ON_ERROR_STOP=1", "-f", "-"),
    ]
    try:
        done = subprocess.run(command, input=statement, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise SqlError(f"no answer within {timeout} s") from error
    if done.returncode != 0:
        raise SqlError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no reason given")
    return [line.split("\t") for line in done.stdout.splitlines() if line]


def name(text):
    return '"' + text.replace('"', '""') + '"'


def literal(text):
    return "'" + text.replace("'", "''") + "'"
