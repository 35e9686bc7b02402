"""Rows from a folder of text files, one row a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from automl.data.incoming.chunk import Chunk, Tell
from automl.data.schema import Schema
from automl.errors import DataError
from automl.sources.folders import Unreadable, check_unreadable, few, file_name, of_kind, walk
from automl.sources.texts import SUFFIXES, read_text

_AT_ONCE = 256


def text_rows(folder: Path, schema: Schema, tell: Tell, encoding: str = "utf-8") -> Iterator[Chunk]:
    """Yield every text below `folder` in order of path; those that cannot be read are named to `tell` and left out.

    Raises DataError for a folder without texts, or when more than 5 % cannot be read.
    """
    files = of_kind(walk(folder), SUFFIXES)
    if not files:
        raise DataError(f"{folder}: no texts ({', '.join(SUFFIXES)}) in this folder or below.")
    unreadable: list[str] = []
    for start in range(0, len(files), _AT_ONCE):
        cells, names = [], []
        for file in files[start : start + _AT_ONCE]:
            text = read_text(file, encoding)
            if isinstance(text, Unreadable):
                unreadable.append(f"{file_name(file, folder)} ({text.reason})")
            else:
                cells.append(text)
                names.append(file_name(file, folder))
        check_unreadable(folder, "texts", unreadable, len(files))
        if names:
            yield Chunk({schema.columns[0]: np.array(cells, dtype=object)}, tuple(names))
    if unreadable:
        tell(f"{folder}: {len(unreadable)} of {len(files)} texts cannot be read: {few(unreadable)}.")
