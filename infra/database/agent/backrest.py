"""pgBackRest as a program: its config and keys are in files that the container's environment names."""

import json
import os
import subprocess

from settings import BACKUP_KEYS

STANZA = "database"


class BackrestError(Exception):
    """It did not do what was asked. code: pgBackRest's own (its documentation, "Error codes"), or None for a time-out."""

    def __init__(self, reason, code=None):
        super().__init__(reason)
        self.code = code


def command(*args):
    return ["pgbackrest", f"--stanza={STANZA}", *args]


def run(*args, timeout=60):
    """What it printed. Raises BackrestError with its last words."""
    try:
        done = subprocess.run(command(*args), capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise BackrestError(f"{args[0]}: no end within {timeout} s") from error
    except FileNotFoundError as error:
        raise BackrestError("the image has no pgbackrest (docs/database.md says what it must have)") from error
    if done.returncode != 0:
        raise BackrestError(f"{args[0]}: {reason_in(done.stdout + done.stderr)}", done.returncode)
    return done.stdout


def redacted(text, folder=BACKUP_KEYS):
    """The text without any secret that pgBackRest may have put into it: of a token that it cannot read it shows all."""
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with open(path, encoding="utf8") as file:
                secrets = [line.partition("=")[2].strip() for line in file]
            for secret in filter(None, secrets):
                text = text.replace(secret, "[secret]")
    return text


def reason_in(output):
    """The sentence that says what is wrong, without the stack of it."""
    lines = [line.strip() for line in redacted(output).splitlines() if line.strip()]
    for line in lines:
        if "ERROR: [" in line:
            return line.split("ERROR: ", 1)[1]
    return lines[-1] if lines else "no reason given"


class Info:
    """What the repositories hold, by `pgbackrest info`."""

    def __init__(self, stanza):
        self.backups = stanza.get("backup", [])
        self.archives = stanza.get("archive", [])
        self.system_ids = {entry["system-id"] for entry in stanza.get("db", [])}
        # By repository: None where it answers, else why not. "No backup yet" and "no stanza yet" are no faults.
        self.problems = {
            repo["key"]: None if repo["status"]["code"] in (0, 1, 2, 3) else _first_line(repo["status"]["message"])
            for repo in stanza.get("repo", [])
        }
        # In each of them: to one that was added later nothing could be sent yet, and nothing would be in the others either.
        codes = [repo["status"]["code"] for repo in stanza.get("repo", [])]
        self.made = len(codes) > 0 and all(code in (0, 2) for code in codes)

    def last(self, kinds, repo):
        """The newest good backup of these types in a repository, or None."""
        found = [b for b in self.backups if b["type"] in kinds and b["database"]["repo-key"] == repo and not b.get("error")]
        return max(found, key=lambda backup: backup["timestamp"]["stop"], default=None)

    def archived_until(self):
        """Name of the newest segment in any repository; empty where there is none."""
        return max((archive["max"] or "" for archive in self.archives), default="")

    def earliest(self):
        """Unix time from which on any point can be restored, or None."""
        return min((b["timestamp"]["stop"] for b in self.backups if not b.get("error")), default=None)


def info(timeout=30):
    """Raises BackrestError when even the question fails. A repository that does not answer is told of in `problems`."""
    # The default would try for a minute: whoever asks wants to know now.
    stanzas = json.loads(run("info", "--output=json", "--io-timeout=5", timeout=timeout) or "[]")
    return Info(stanzas[0] if stanzas else {})


def _first_line(text):
    return redacted(text).strip().splitlines()[0] if text.strip() else "no reason given"
