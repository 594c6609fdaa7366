"""What a new server needs before the program can log in: database, extensions, administrator, the robots' roles.

Done by the primary, again whenever something of it is missing or the administrator's password has changed in its
Secret; so rotating it is a change of config, and nobody is disconnected.
"""

import base64
import hashlib
import hmac
import os

from sql import literal, name, query

# RFC 7677 says at least 4096; PostgreSQL's own default is the same.
ITERATIONS = 4096


def verifier(password, salt):
    """PostgreSQL's form of a SCRAM-SHA-256 secret (RFC 5803), so that no password is in a statement or a log."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    text = [base64.b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${ITERATIONS}:{text[0]}${text[1]}:{text[2]}"


def matches(stored, password):
    """Whether a stored secret is this password's."""
    if not stored.startswith("SCRAM-SHA-256$"):
        return False
    salt = base64.b64decode(stored.split("$")[1].split(":")[1])
    return hmac.compare_digest(stored, verifier(password, salt))


def ensure_roles(settings, credentials, script):
    """Returns whether anything was done. credentials: the folder of the mounted Secret. script: for database `ms5`.

    Raises SqlError while the server takes no writes.
    """
    with open(os.path.join(credentials, "password"), encoding="utf8") as file:
        password = file.read().strip()
    done = False
    admin, database = settings.admin, settings.database
    stored = query(f"SELECT coalesce(rolpassword, '') FROM pg_authid WHERE rolname = {literal(admin)}")
    if not stored:
        query(f"CREATE ROLE {name(admin)} LOGIN CREATEROLE CREATEDB; GRANT pg_monitor TO {name(admin)} WITH ADMIN OPTION;")
        done = True
    if not stored or not matches(stored[0][0], password):
        secret = literal(verifier(password, os.urandom(16)))
        query(f"SET pgaudit.log TO none; ALTER ROLE {name(admin)} PASSWORD {secret};")
        done = True
    if not query(f"SELECT 1 FROM pg_database WHERE datname = {literal(database)}"):
        query(f"CREATE DATABASE {name(database)} OWNER {name(admin)}")
        done = True
    # A member that comes back, whoever logs in, and the program: when all other connections are taken.
    text = f"GRANT pg_use_reserved_connections TO rewind, pooler, {name(admin)};\n"
    # Before each migration a restore can go back to.
    text += f"GRANT EXECUTE ON FUNCTION pg_catalog.pg_create_restore_point(text) TO {name(admin)};\n"
    with open(script, encoding="utf8") as file:
        text = file.read() + text
    digest = hashlib.sha256(text.encode()).hexdigest()
    if _comment_of_pooler(database) != digest:
        query(f"BEGIN;\n{text}\nCOMMENT ON SCHEMA pooler IS {literal(digest)};\nCOMMIT;", database, timeout=60)
        done = True
    return done


def _comment_of_pooler(database):
    """The script's digest at its last run, kept with what it made."""
    rows = query("SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace WHERE nspname = 'pooler'", database)
    return rows[0][0] if rows and rows[0] else None
