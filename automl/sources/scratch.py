"""Room on disk for what memory cannot hold: files without a name, which vanish with the process however it ends."""

from __future__ import annotations

import errno
import math
import mmap
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from automl.config import state_folder
from automl.errors import StorageError
from automl.sources.memory import fits

_SHARE = 8
"""An array goes to the disk where memory has not room for so many of it."""


def empty_array(shape: tuple[int, ...], dtype: type[np.generic] | str) -> np.ndarray:
    """Return an array to be filled: in memory where it is small beside what is left, else mapped from a file without a name.

    Raises StorageError where the disk has no room for it.
    """
    if fits(_SHARE * math.prod(shape) * np.dtype(dtype).itemsize):
        return np.empty(shape, dtype)
    return _mapped_array(shape, dtype)


def array_on_disk(array: np.ndarray) -> np.ndarray:
    """Return a copy that is mapped from a file without a name. Raises StorageError where the disk has no room for it."""
    copy = _mapped_array(array.shape, array.dtype)
    copy[...] = array
    return copy


def _mapped_array(shape: tuple[int, ...], dtype: np.dtype | type[np.generic] | str) -> np.ndarray:
    size = math.prod(shape) * np.dtype(dtype).itemsize
    with _file() as file:
        try:
            # A map that the disk turns out to have no room for would end the process by SIGBUS.
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            raise _no_room(error, size) from error
        return np.memmap(file, dtype, "r+", shape=shape)


def table_on_disk(batches: Iterator[pa.RecordBatch]) -> pa.Table:
    """Return a table of the batches whose cells stay in a file without a name, mapped: memory holds what is being looked at.

    Raises StorageError where the disk has no room for it.
    """
    with _file() as file:
        try:
            first = next(batches)
            with ipc.new_file(file, first.schema) as writer:
                for batch in _chained(first, batches):
                    writer.write_batch(batch)
            file.flush()
            size = file.tell()
        except OSError as error:
            raise _no_room(error, file.tell()) from error
        mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
    return ipc.open_file(pa.py_buffer(mapped)).read_all()


def _chained(first: pa.RecordBatch, rest: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest


def _file() -> IO[bytes]:
    """Beside our own state, since a folder for temporary files may itself be memory."""
    folder = Path(state_folder())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=folder)
    except OSError as error:
        raise StorageError(
            f"Cannot write a temporary file in {folder}: {error.strerror}.",
            hint="Grant the permission, or set AUTOML_HOME to another folder.",
        ) from error


def _no_room(error: OSError, size: int) -> StorageError:
    folder = state_folder()
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageError(f"Cannot write a temporary file in {folder}: {error.strerror}.")
    left = os.statvfs(folder)
    return StorageError(
        f"disk full: the rows do not fit in memory, and {folder} has {left.f_bavail * left.f_frsize / 1e6:.0f} MB for "
        f"{size / 1e6:.0f} MB of them.",
        hint="Free some space, set AUTOML_HOME to a folder on a larger disk, or take a sample of the rows.",
    )
