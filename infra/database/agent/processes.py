"""PostgreSQL's processes, by their titles in /proc: without a connection, which a server in trouble would not give."""

import os


def postgres_processes(kind=""):
    """Process ids of those whose title names `kind`, e.g. `walreceiver`; of all with nothing named."""
    return (pid for pid, _ in _titles(kind))


def received():
    """How far WAL has been received, e.g. `0/3000148`, or None while nothing is."""
    for _, title in _titles("walreceiver"):
        if " streaming " in title:
            return title.rsplit(" ", 1)[1]
    return None


def postmaster(data):
    """(process id in postmaster.pid, whether it runs), or None where there is no such file: no crash, no server."""
    try:
        with open(os.path.join(data, "postmaster.pid"), encoding="utf8") as file:
            pid = abs(int(file.readline()))
    except (FileNotFoundError, ValueError):
        return None
    return pid, _title(pid) is not None


def _titles(kind):
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        title = _title(int(entry))
        # `postgres: blue: walreceiver ...`; the postmaster's own title is its command line.
        if title is not None and ((title.startswith("postgres: ") and kind in title) or (kind == "" and _is_server(title))):
            yield int(entry), title


def _is_server(title):
    return os.path.basename(title.split(" ", 1)[0]) == "postgres"


def _title(pid):
    """None for a process that is gone, or dead and not yet fetched by its parent."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            title = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return title or None


def children(parent, proc="/proc"):
    """Process ids of a process's children."""
    return (pid for pid, above, _ in _stats(proc) if above == parent)


def members(group, proc="/proc"):
    """Process ids of a group of processes."""
    return (pid for pid, _, own in _stats(proc) if own == group)


def _stats(proc):
    """(process id, its parent's, its group's) of every process."""
    for entry in os.listdir(proc):
        if not entry.isdigit():
            continue
        try:
            with open(f"{proc}/{entry}/stat", encoding="utf8") as file:
                # pid (name) state parent group …; the name may hold anything.
                _, above, group = file.read().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            # Gone meanwhile.
            continue
        yield int(entry), int(above), int(group)
