"""Where searches, models and reports are written: may we write there, how much do they hold, how much is free."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from automl.doctor.finding import Finding
from automl.errors import StorageError
from automl.ledger import Home, require_writable
from automl.ledger.lock import refuse_network_mount

_PATIENCE = 1.0
"""Seconds to add up one folder; a folder of a million files is said to hold more than what was seen."""
_LITTLE = 2_000_000_000
"""Bytes: a search of large models with its checkpoints may need this."""
_TOO_LITTLE = 100_000_000
"""Bytes: one export may need this."""


def disk_findings(home: Home, here: Path) -> Iterator[Finding]:
    """Yield a finding for the home, the exports and the reports."""
    for name, folder in (("home", home.root), ("exports", here / "exports"), ("reports", here / "reports")):
        yield _folder_finding(name, folder, is_home=folder == home.root)


def _folder_finding(name: str, folder: Path, *, is_home: bool) -> Finding:
    try:
        require_writable(folder)
        if is_home:
            refuse_network_mount(_nearest(folder))
        room = os.statvfs(_nearest(folder))
    except StorageError as error:
        return Finding("storage", name, "problem", str(error), error.hint)
    except OSError as error:
        return Finding("storage", name, "problem", f"{folder}: {error.strerror}", "Grant the permission.")
    free = room.f_bavail * room.f_frsize
    found = f"{folder}: {used(folder)}, {_size(free)} free"
    if room.f_files and not room.f_favail:
        return Finding("storage", name, "problem", f"{found}, no inode free", "Delete files that are not needed.")
    if free < _TOO_LITTLE:
        return Finding("storage", name, "problem", found, "Free some space: an export may not fit.")
    if free < _LITTLE:
        return Finding("storage", name, "note", found, "Little is left for a large search.")
    return Finding("storage", name, "ok", found)


def used(folder: Path, *, patience: float = _PATIENCE) -> str:
    """Return what the files of a folder hold, as text."""
    if not folder.exists():
        return "not made yet"
    until = time.monotonic() + patience
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except FileNotFoundError:  # a running search has just moved it
                continue
        if time.monotonic() > until:
            return f"more than {_size(total)}"
    return _size(total)


def _nearest(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _size(count: float) -> str:
    unit = "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if count < 1000:
            break
        count, unit = count / 1000, larger
    return f"{count:.3g} {unit}"
