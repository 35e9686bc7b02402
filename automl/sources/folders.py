"""Folders of files, one file a row: what is in them, by sub-folder. Opens no file, and follows no link to a folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from automl.errors import DataError

MOST_UNREADABLE = 0.05
"""Share of files that may be left out because they cannot be read."""
_LISTED = 10


@dataclass(frozen=True)
class Unreadable:
    """A file that is left out, and why."""

    reason: str


@dataclass(frozen=True)
class Folder:
    """A folder's files, those of its sub-folders apart. Hidden ones, such as `.DS_Store`, are not there."""

    path: Path
    beside: tuple[Path, ...]
    """Files in the folder itself."""
    inside: dict[str, tuple[Path, ...]]
    """Sub-folder -> files in it and below, in order of path."""
    links: tuple[str, ...]
    """Linked folders, which are not entered: a loop of links would never end."""


def open_folder(path: Path) -> Folder:
    """List a folder. Raises DataError where it cannot be read."""
    inside: dict[str, tuple[Path, ...]] = {}
    beside, links = [], []
    try:
        for each in sorted(path.iterdir()):
            if _is_hidden(each.name):
                continue
            if not each.is_dir():
                beside.append(each)
            elif each.is_symlink():
                links.append(file_name(each, path))
            else:
                inside[file_name(each, path)] = tuple(walk(each))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from None
    return Folder(path, tuple(beside), inside, tuple(links))


def walk(folder: Path) -> list[Path]:
    """All files below a folder in order of path. Linked folders are not entered."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        found += [Path(place, name) for name in names if not _is_hidden(name)]
    return sorted(found)


def of_kind(files: Iterable[Path], suffixes: tuple[str, ...]) -> list[Path]:
    """The files whose names end so, in capitals too."""
    return [file for file in files if file.name.lower().endswith(suffixes)]


def file_name(file: Path, folder: Path) -> str:
    """Path relative to the folder; a name that is no UTF-8 still has a row."""
    return os.fsencode(file.relative_to(folder)).decode(errors="replace")


def require_regular(file: Path) -> None:
    """Raise OSError for a pipe or a device: it would be waited for."""
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError("not a file")


def check_unreadable(folder: Path, what: str, unreadable: list[str], files: int) -> None:
    """Raise DataError where more than 5 % of the files cannot be read."""
    if len(unreadable) > MOST_UNREADABLE * files:
        raise DataError(
            f"{folder}: at least {lost(what, unreadable, files)}. "
            f"At most {MOST_UNREADABLE:.0%} may be left out; mend or remove them."
        )


def unreadable_names(files: Sequence[Path], found: Sequence[object], folder: Path) -> list[str]:
    """Return the names below the folder, with the reason, of those files for which something `Unreadable` was found."""
    return [
        f"{file_name(file, folder)} ({one.reason})"
        for file, one in zip(files, found, strict=True)
        if isinstance(one, Unreadable)
    ]


def lost(what: str, unreadable: list[str], files: int) -> str:
    """Say how many of the files are left out, and which."""
    return f"{len(unreadable)} of {files} {what} cannot be read: {few(unreadable)}"


def few(names: list[str]) -> str:
    """The first names."""
    return ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")


def reason_of(error: Exception) -> str:
    """Why a file cannot be read, without its path or an address in memory."""
    return getattr(error, "strerror", None) or str(error).split(" <", 1)[0].split(" '", 1)[0] or type(error).__name__


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
