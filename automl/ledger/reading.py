"""Looking at a search without its lock: nothing is written, not even beside a file where nobody else has it open."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from automl.errors import ConfigError, StorageError
from automl.ledger.header import Header
from automl.ledger.home import SearchFolder
from automl.ledger.ledger import Ledger


def open_to_read(folder: SearchFolder) -> Ledger:
    """Open a search's ledger to look at it, whoever works on it. Raises StorageError for a file that is not a sound ledger."""
    path, is_held = folder.ledger, holder(folder) is not None
    if not os.access(path, os.R_OK):
        raise StorageError(f"{path} cannot be read.", hint="Grant the permission.")
    engine = sa.create_engine(
        "sqlite://", creator=lambda: connect_to_read(path, is_held=is_held, timeout=30.0), poolclass=sa.pool.StaticPool
    )
    ledger = Ledger(engine, str(path))
    try:
        ledger.has_tables()
    except StorageError:
        ledger.close()
        raise
    return ledger


def begun(ledger: Ledger, name: str) -> Header:
    """Return what a search is, or raise ConfigError: it was stopped before it had begun."""
    header = ledger.header()
    if header is None:
        raise ConfigError(f"search '{name}' was never begun.", hint=how_to_begin(name))
    return header


def how_to_begin(name: str) -> str:
    """What to do about a search that was never begun."""
    return f"Run its search command again, or delete it: automl searches delete {name}"


def connect_to_read(path: Path, *, is_held: bool, timeout: float = 1.0) -> sqlite3.Connection:
    """Open a SQLite file so that nothing is written."""
    return sqlite3.connect(address_to_read(path, is_held=is_held), uri=True, timeout=timeout)


def address_to_read(path: Path, *, is_held: bool) -> str:
    """Return SQLite's address of a file that is only read; `is_held`: another process may be writing it."""
    # Without a write-ahead log and without a writer the file cannot change: then SQLite needs no shared memory file.
    alone = not is_held and not Path(f"{path}-wal").exists()
    return f"file:{quote(str(path))}?mode=ro{'&immutable=1' * alone}"


def holder(folder: SearchFolder) -> str | None:
    """Return who works on a search now, or None; the lock is asked for a moment, and its file is neither made nor written."""
    try:
        fd = os.open(folder.root / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            who = json.loads(os.pread(fd, 1000, 0))
            return f"pid {who['pid']} since {who['since']}"
        except (ValueError, KeyError, TypeError):
            return "another process"
    except OSError:
        return None
    finally:
        os.close(fd)
    return None
