"""Rows from a folder of files, some files at a time; those that cannot be read are left out and named. Knows no format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from automl.data.incoming.chunk import Tell
from automl.errors import DataError
from automl.sources.folders import Unreadable, file_name, lost, unreadable_names

_Content = TypeVar("_Content")


def readable(
    folder: Path,
    files: Sequence[Path],
    what: str,
    read: Callable[[Sequence[Path]], Sequence[_Content | Unreadable]],
    at_once: int,
    tell: Tell,
) -> Iterator[tuple[list[_Content], tuple[str, ...]]]:
    """Yield what `read` returns for up to `at_once` files, and their names below `folder`. `what` files hold is a word for people.

    Files that cannot be read are named to `tell` at the end: they have no prediction, and the others' is as good as before. Raises
    DataError where none can be read.
    """
    unreadable: list[str] = []
    for start in range(0, len(files), at_once):
        some = files[start : start + at_once]
        contents = read(some)
        unreadable += unreadable_names(some, contents, folder)
        rows = [one for one in contents if not isinstance(one, Unreadable)]
        if rows:
            named = zip(some, contents, strict=True)
            yield rows, tuple(file_name(file, folder) for file, one in named if not isinstance(one, Unreadable))
    if len(unreadable) == len(files):
        raise DataError(f"{folder}: {lost(what, unreadable, len(files))}. Mend at least one.")
    if unreadable:
        tell(f"{folder}: {lost(what, unreadable, len(files))}.")
