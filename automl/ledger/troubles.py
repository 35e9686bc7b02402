"""What to say when the ledger's file does not let itself be read or written."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from automl.data.durable import disk_full
from automl.errors import StorageError


def storage_error(place: str, error: Exception) -> StorageError:
    """Return what to say of a database's refusal, with what to do; `place` is the ledger's file."""
    text = str(getattr(error, "orig", None) or error)
    if "database is locked" in text:
        return StorageError(
            f"{place} is locked by {_holder(Path(place))}.", hint="End it, then run the same command again."
        )
    if "full" in text or "No space left" in text or "disk I/O error" in text:
        return disk_full(Path(place))
    if "not a database" in text or "malformed" in text:
        return StorageError(f"{place} is not a database, or is damaged ({text}). It was left as it is.")
    if "unable to open" in text or "readonly" in text or "Permission" in text:
        return StorageError(
            f"{place} cannot be opened for writing ({text}).", hint="Check the permissions of its folder."
        )
    return StorageError(f"{place}: {text}")


def _holder(path: Path) -> str:
    """Name the other processes that have a file open, as far as the system lets us see."""
    found = []
    for folder in Path("/proc").glob("[0-9]*/fd"):
        pid = int(folder.parent.name)
        with contextlib.suppress(OSError):
            if pid != os.getpid() and any(os.path.realpath(fd) == str(path.resolve()) for fd in folder.iterdir()):
                found.append(pid)
    return f"pid {', '.join(map(str, sorted(found)))}" if found else "another program"
