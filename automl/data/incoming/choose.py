"""Which reader a source of new rows needs. Reads nothing itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from automl.data.incoming.array import array_rows
from automl.data.incoming.chunk import Chunk, Tell
from automl.data.incoming.delimited import csv_rows
from automl.data.incoming.images import image_rows
from automl.data.incoming.parquet import parquet_rows
from automl.data.schema import Schema
from automl.errors import DataError

STDIN = "-"


def read_rows(path: Path, schema: Schema, tell: Tell) -> Iterator[Chunk]:
    """Yield raw rows of a `.csv`, `.parquet` or `.npy`, of a folder of images, or of CSV on stdin (`-`).

    Table columns are matched by name whatever their order, and those the model does not use are named to `tell`. A `.npy` holds
    (rows, features), (rows, *shape) or, for images of one channel, (rows, height, width), and is mapped, not loaded. Raises
    DataError that names file, row and column.
    """
    if str(path) == STDIN:
        return csv_rows(sys.stdin.buffer, "stdin", schema, tell)
    if path.is_dir():
        return image_rows(path, schema, tell)
    if not path.is_file():
        raise DataError(f"{path}: no such file. Give a .csv, .parquet or .npy file, or a folder of images, to predict.")
    match path.suffix.lower():
        case ".csv":
            return _csv_file(path, schema, tell)
        case ".parquet":
            return parquet_rows(path, schema, tell)
        case ".npy":
            return array_rows(path, schema)
    raise DataError(f"{path}: rows to predict are read from .csv, .parquet or .npy, but this is '{path.suffix}'.")


def _csv_file(path: Path, schema: Schema, tell: Tell) -> Iterator[Chunk]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from None
    with file:
        yield from csv_rows(file, str(path), schema, tell)
