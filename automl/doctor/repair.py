"""Making the copies anew that cannot be read: Optuna's file of a search, from its ledger. The broken file is kept."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from automl.data.durable import flush_folder, storage_errors
from automl.doctor.searches import Damaged, read_ledger, read_optuna
from automl.errors import AutoMLError
from automl.ledger import Home, Ledger, SearchFolder, SearchLock
from automl.tracking.sync import write_optuna

_PARTS = ("", "-wal", "-shm")
"""A SQLite file, and what a killed process leaves beside it: only together are they what was there."""


def repair(home: Home) -> Iterator[str]:
    """Rebuild each Optuna file that is broken or missing and whose ledger is sound; yields a line for each, also for a failure.

    MLflow's file is left alone: it also holds registered models and other people's runs, which no ledger of ours knows.
    """
    for name in home.searches():
        try:
            folder = home.search(name)
            if (line := _repair_search(folder)) is not None:
                yield line
        except (AutoMLError, Damaged, OSError) as error:
            yield f"{name}: not repaired: {error}"


def _repair_search(folder: SearchFolder) -> str | None:
    if not _is_needed(folder):
        return None
    with SearchLock(folder.root):
        if not _is_needed(folder):
            return None
        fresh = folder.root / f".tmp-{uuid.uuid4().hex}"
        with storage_errors("rebuild", folder.optuna):
            try:
                count = _rebuild(folder, fresh)
                kept = _move_aside(folder.optuna)
                fresh.rename(folder.optuna)
                flush_folder(folder.root)
            finally:
                for part in _PARTS:
                    Path(f"{fresh}{part}").unlink(missing_ok=True)
    return (
        f"{folder.name}: rebuilt {folder.optuna.name} with {count} trials{f'; the old file is {kept}' if kept else ''}"
    )


def _is_needed(folder: SearchFolder) -> bool:
    """True where the copy is broken, or missing though there are slots to show. Raises Damaged where the ledger is: nothing helps then."""
    try:
        trials = read_optuna(folder.optuna)
    except Damaged:
        return True
    ledger = read_ledger(folder) if trials is None else None
    return ledger is not None and ledger.finals > 0


def _rebuild(folder: SearchFolder, path: Path) -> int:
    read_ledger(folder)
    with closing(Ledger.open(folder.ledger)) as ledger:
        header = ledger.header()
        if header is None:
            return 0
        final = ledger.attempts(kind="trial", final=True)
        write_optuna(ledger, header, final, path)
    return len(final)


def _move_aside(path: Path) -> Path | None:
    """Rename a file with what SQLite keeps beside it; returns its new name, or None where there was none."""
    kept = path.with_name(f"{path.name}.broken-{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}")
    found = False
    for part in _PARTS:
        old = Path(f"{path}{part}")
        if old.exists():
            old.rename(f"{kept}{part}")
            found = found or not part
    return kept if found else None
