"""Files that are there whole or not at all, and only ours to read. Knows nothing of what they hold."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TextIO

from automl.errors import StorageError

_TEMPORARY = ".tmp-"
_STALE_SECONDS = 24 * 3600.0
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when no more can be written."""


@contextmanager
def storage_errors(what: str, path: Path) -> Iterator[None]:
    """Turn an OSError inside the block (disk full, permission, read-only) into a StorageError that names `path`."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise disk_full(path) from error
        reason = error.strerror or str(error)
        if error.filename and str(error.filename) != str(path):
            reason = f"{reason} ({error.filename})"
        raise StorageError(
            f"Cannot {what} {path}: {reason}.", hint="Free space or grant permission, then run the same command again."
        ) from error


def disk_full(place: Path) -> StorageError:
    """Return the error for a file or folder that cannot grow, with what is free where it lies."""
    while not place.exists():
        place = place.parent
    room = os.statvfs(place)
    return StorageError(
        f"disk full: {place} cannot grow, {room.f_bavail * room.f_frsize / 1e6:.0f} MB free.",
        hint="Free some space, then run the same command again.",
    )


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, each with mode 0700; `mkdir(parents=True)` would open the upper ones."""
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def new_folder_beside(target: Path) -> Path:
    """Make an empty folder `.tmp-<uuid>`, mode 0700, in the folder of `target`: on its file system, so a rename is atomic."""
    make_folder(target.parent)
    folder = target.parent / f"{_TEMPORARY}{uuid.uuid4().hex}"
    folder.mkdir(mode=0o700)
    return folder


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Create `path` with mode 0600 and flush it to the disk at the end; an existing file or link of that name is refused."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def write_file(path: Path, content: bytes) -> None:
    """Write a `new_file`."""
    with new_file(path) as file:
        file.write(content)


def replace_file(path: Path, content: bytes) -> None:
    """Write `path` so that readers see the old content or the new, whole; mode 0600."""
    temporary = path.parent / f"{_TEMPORARY}{uuid.uuid4().hex}"
    try:
        write_file(temporary, content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    flush_folder(path.parent)


@contextmanager
def growing_file(path: Path) -> Iterator[TextIO]:
    """Write a text file for people bit by bit; it takes its name when the block has ended well, else nothing is left of it.

    A link is followed, and what is no file (`/dev/stdout`, a pipe) is written to directly. The mode is what the umask grants.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        with target.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    temporary = target.parent / f"{_TEMPORARY}{uuid.uuid4().hex}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    flush_folder(target.parent)


def flush_folder(folder: Path) -> None:
    """Flush the folder's list of names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def move_into_place(folder: Path, target: Path) -> bool:
    """Rename a finished folder to `target`; False, with `folder` removed, when another process was there first."""
    try:
        folder.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        shutil.rmtree(folder)
        return False
    flush_folder(target.parent)
    return True


def set_aside(unwanted: Path) -> None:
    """Take a folder out of readers' way, then delete it; nothing happens when another process was there first."""
    aside = unwanted.parent / f"{_TEMPORARY}{uuid.uuid4().hex}"
    with suppress(FileNotFoundError):
        unwanted.rename(aside)
        shutil.rmtree(aside)


def remove_stale(parent: Path) -> None:
    """Delete what killed processes left in `parent`: temporary files and folders older than a day."""
    now = time.time()
    for path in parent.glob(f"{_TEMPORARY}*"):
        with suppress(FileNotFoundError):  # its owner is alive and has just renamed it
            if now - path.lstat().st_mtime > _STALE_SECONDS:
                _delete(path)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()


def sha256_of(path: Path) -> str:
    """Return the file's SHA-256 as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
