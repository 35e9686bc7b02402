"""Rows from a folder of text files, one row a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from automl.data.incoming.chunk import Chunk, Tell
from automl.data.incoming.files import readable
from automl.data.schema import Schema
from automl.errors import DataError
from automl.sources.folders import Unreadable, of_kind, walk
from automl.sources.texts import SUFFIXES, read_text

_AT_ONCE = 256


def text_rows(folder: Path, schema: Schema, tell: Tell, encoding: str = "utf-8") -> Iterator[Chunk]:
    """Yield every text below `folder` in order of path; those that cannot be read are named to `tell` and left out.

    Raises DataError for a folder without texts, or where none can be read.
    """
    files = of_kind(walk(folder), SUFFIXES)
    if not files:
        raise DataError(f"{folder}: no texts ({', '.join(SUFFIXES)}) in this folder or below.")

    def read(some: Sequence[Path]) -> list[str | Unreadable]:
        return [read_text(file, encoding) for file in some]

    for cells, names in readable(folder, files, "texts", read, _AT_ONCE, tell):
        yield Chunk({schema.columns[0]: np.array(cells, dtype=object)}, names)
