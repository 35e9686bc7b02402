"""What to say of a worker that died, and of a machine that lets none start or go on."""

from __future__ import annotations

import errno
import os
import resource
import signal
from pathlib import Path

from automl.data.durable import FULL, disk_full
from automl.errors import StorageError

_LIMITS = {
    errno.EMFILE: (resource.RLIMIT_NOFILE, "n", 1024),
    errno.EAGAIN: (resource.RLIMIT_NPROC, "u", 4096),
}
"""Error -> the limit behind it, its flag in `ulimit`, and a number that will do."""


def cause_of_death(status: int) -> str:
    """Name what ended a process; `status` is as in `subprocess`: -9 is signal 9."""
    if status < 0:
        name = signal.Signals(-status).name
        likely = ", likely out of memory" if status == -signal.SIGKILL else ""
        return f"killed by signal {-status} ({name}){likely}"
    return f"exited without a result (code {status})"


def cannot_start(error: OSError) -> StorageError:
    """Say what the system refused, and how to raise the limit behind it."""
    reason, hint = (error.strerror or str(error)).lower(), ""
    if error.errno in _LIMITS:
        limit, flag, enough = _LIMITS[error.errno]
        reason = f"{reason} (limit {resource.getrlimit(limit)[0]})"
        hint = f"Raise the limit: ulimit -{flag} {enough}"
    return StorageError(f"cannot start worker: {reason}.", hint=hint)


def cannot_go_on(number: int, logs: Path) -> StorageError:
    """Say why a worker gave up its assignment: the machine's trouble, by its system error; `logs` lies in the search's folder."""
    if number in FULL:
        return disk_full(logs.parent)
    if number in _LIMITS:
        return cannot_start(OSError(number, os.strerror(number)))
    return StorageError(f"a worker cannot go on in {logs.parent}: {os.strerror(number)}.", hint=f"See {logs}.")
