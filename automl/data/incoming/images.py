"""Rows from a folder of picture files, brought to the model's channels and size, and to the brightness of its training rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from automl.data.incoming.chunk import Chunk, Tell, rows_at_once
from automl.data.incoming.files import readable
from automl.data.schema import Schema
from automl.errors import DataError
from automl.sources import pictures
from automl.sources.folders import Unreadable, of_kind, walk


def image_rows(folder: Path, schema: Schema, tell: Tell) -> Iterator[Chunk]:
    """Yield every picture below `folder` in order of path; those that cannot be read are named to `tell` and left out.

    Raises DataError for a model without image input, a folder without pictures, or where none can be read.
    """
    if schema.input_kind != "image" or schema.shape[0] not in pictures.MODES:
        raise DataError(
            f"{folder}: is a folder, but model '{schema.task}' takes a table. Give a .csv, .parquet or .npy."
        )
    files = of_kind(walk(folder), pictures.SUFFIXES)
    if not files:
        raise DataError(f"{folder}: no pictures ({', '.join(pictures.SUFFIXES)}) in this folder or below.")

    def decoded(some: Sequence[Path]) -> list[np.ndarray | Unreadable]:
        return pictures.decode(some, schema.shape)

    for rows, names in readable(folder, files, "pictures", decoded, rows_at_once(schema), tell):
        yield Chunk(np.stack(rows) * (schema.white / 255.0), names)
