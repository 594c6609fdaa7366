"""Writes numbers into a table, one after the other, and notes outside of the database which were acknowledged.

writer.py SETTINGS: JSON with
  sources: names, each of which writes numbers of its own, from 1
  connection: libpq's words; `host` is looked up once, when it is no path
  table: with the columns source and number
  folder: for a file NAME.log of each source; without it the notes go to stdout, with NAME before each
  passwordFile: where the password is; without it there is none
  server: who answers, where that is known before; without it, the address that does
Where `server` is given, nothing is written while that is a replica, and the end of stdin is the end of all.

A note is `ack NUMBER SENT ACKNOWLEDGED SERVER TIMELINE` or `err NUMBER SENT FAILED REASON`. Times are nanoseconds of the
kernel's monotonic clock, which all processes of a machine see alike.
"""

import json
import os
import select
import socket
import sys
import threading
import time

import psycopg2
from psycopg2 import extensions

# Seconds between two writes of one source.
INTERVAL = 0.05
# Seconds that anything may take. A server that stands still says nothing: its kernel goes on answering for it.
TIMEOUT = 2
# The same for the one who knows the server, at most. It takes twice as long each time: a write that waits for a replica
# goes on waiting on the server when its client has left, and takes a place there.
LONGEST_TIMEOUT = 30
# Seconds until the next attempt after one that failed at once.
RETRY = 0.05


class Source:
    def __init__(self, name, words, settings, note):
        self._name = name
        self._words = words
        self._server = settings.get("server")
        self._note = note
        answered_by = "inet_server_addr()" if self._server is None else "NULL"
        self._statement = (
            f"INSERT INTO {settings['table']} (source, number) VALUES (%s, %s) "
            f"RETURNING {answered_by}, substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)"
        )
        self._number = 0
        self._connection = None
        self._patience = TIMEOUT

    def run(self):
        """For ever. Numbers of failed attempts are not used again: one of them may be in the table."""
        due = time.monotonic()
        while True:
            time.sleep(max(0, due - time.monotonic()))
            due = max(due, time.monotonic() - INTERVAL) + INTERVAL
            self._number += 1
            sent = time.monotonic_ns()
            try:
                row = self._write()
            except (psycopg2.Error, TimeoutError) as error:
                self._failed(sent, error)
                if self._server is not None:
                    self._patience = min(2 * self._patience, LONGEST_TIMEOUT)
                due = max(due, time.monotonic() + RETRY)
                continue
            self._patience = TIMEOUT
            if row is not None:
                server, timeline = row
                self._note(f"ack {self._number} {sent} {time.monotonic_ns()} {self._server or server} {timeline}")

    def _write(self):
        deadline = time.monotonic() + self._patience
        if self._connection is None:
            self._connection = psycopg2.connect(self._words, async_=True)
            wait(self._connection, deadline)
        if self._server is not None and self._query("SELECT pg_is_in_recovery()", (), deadline)[0]:
            return None
        return self._query(self._statement, (self._name, self._number), deadline)

    def _query(self, statement, values, deadline):
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            wait(self._connection, deadline)
            return cursor.fetchone()

    def _failed(self, sent, error):
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        self._note(f"err {self._number} {sent} {time.monotonic_ns()} {reason}")
        if self._connection is not None:
            # Without a cancel: that would make a server say yes to a write which no replica has.
            self._connection.close()
            self._connection = None


def wait(connection, deadline):
    """psycopg2's own waiting has no end."""
    while True:
        state = connection.poll()
        if state == extensions.POLL_OK:
            return
        readable, writable = ([connection], []) if state == extensions.POLL_READ else ([], [connection])
        left = deadline - time.monotonic()
        if left <= 0 or not any(select.select(readable, writable, [], left)):
            raise TimeoutError("no answer in time")


def words_of(settings):
    words = dict(settings["connection"])
    if not words["host"].startswith("/"):
        words["hostaddr"] = look_up(words["host"])
    if "passwordFile" in settings:
        with open(settings["passwordFile"], encoding="utf8") as file:
            words["password"] = file.read()
    return extensions.make_dsn(**words)


def look_up(host):
    """Once: what names take to be answered during a fault is another thing to measure."""
    while True:
        try:
            return socket.gethostbyname(host)
        except OSError:
            time.sleep(0.2)


def note_into(folder, name):
    if folder is None:
        return lambda line: os.write(1, f"{name} {line}\n".encode())
    file = os.open(f"{folder}/{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    return lambda line: os.write(file, f"{line}\n".encode())


def main():
    settings = json.loads(sys.argv[1])
    words = words_of(settings)
    for name in settings["sources"]:
        source = Source(name, words, settings, note_into(settings.get("folder"), name))
        threading.Thread(target=source.run, daemon=True).start()
    if "server" in settings:
        sys.stdin.read()
        return
    threading.Event().wait()


main()
