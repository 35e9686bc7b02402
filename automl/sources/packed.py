"""Compressed text tables, unpacked as they are read: .gz, .bz2, .xz, and a .zip with one file in it. Never written to disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from automl.errors import DataError

SUFFIXES = (".gz", ".bz2", ".xz", ".zip")
Open = Callable[[], BinaryIO]
"""Opens the unpacked content from its beginning."""
_DAMAGED = (
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    NotImplementedError,
    RuntimeError,
)
_AT_ONCE = 1 << 20
LONGEST_LINE = 1 << 24
"""Bytes of a line at most: a packed file of a few hundred kB may hold one of gigabytes."""


def inner_name(path: Path) -> str:
    """Name of the file that is packed. Raises DataError for a `.zip` that holds none or several."""
    if path.suffix.lower() != ".zip":
        return path.stem
    try:
        with zipfile.ZipFile(path) as archive:
            names = [one.filename for one in archive.infolist() if not one.is_dir() and not _is_hidden(one.filename)]
    except (OSError, *_DAMAGED) as error:
        raise damaged(path, error) from None
    if len(names) != 1:
        raise DataError(f"{path}: must hold one table, but holds {len(names)} files. Unpack it and name one of them.")
    return names[0]


def opener(path: Path) -> Open:
    """Return how to open a file; one that is packed is unpacked as it is read."""
    match path.suffix.lower():
        case ".gz":
            return lambda: _safe(path, gzip.open(path, "rb"))
        case ".bz2":
            return lambda: _safe(path, bz2.open(path, "rb"))
        case ".xz":
            return lambda: _safe(path, lzma.open(path, "rb"))
        case ".zip":
            return lambda: _safe(path, zipfile.ZipFile(path).open(inner_name(path)))
    return lambda: path.open("rb")


def unpacked_size(path: Path, most: int) -> int:
    """Bytes of the content; counting ends above `most`, so that what unpacks to more than memory holds is seen in time."""
    if path.suffix.lower() not in SUFFIXES:
        return path.stat().st_size
    size = 0
    with opener(path)() as stream:
        while size <= most and (piece := stream.read(_AT_ONCE)):
            size += len(piece)
    return size


def damaged(path: Path, error: Exception) -> DataError:
    """Return the error for a file that cannot be unpacked."""
    return DataError(
        f"{path}: cannot be unpacked ({error or type(error).__name__}). Pack it again, or unpack it first."
    )


def _safe(path: Path, stream: object) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_Checked(path, cast(BinaryIO, stream)), _AT_ONCE))


class _Checked(io.RawIOBase):
    """A stream that names its file where that is damaged."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self._path, self._stream = path, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            piece = self._stream.read(len(buffer))
        except _DAMAGED as error:
            raise damaged(self._path, error) from None
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _is_hidden(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")
