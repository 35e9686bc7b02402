"""Rows from a `.npy`, mapped from the disk. Opens no archive and no pickle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from automl.data.incoming.chunk import Chunk, rows_at_once
from automl.data.schema import Schema
from automl.encoding import Grid, Number, Steps
from automl.errors import DataError


def array_rows(path: Path, schema: Schema) -> Iterator[Chunk]:
    """Yield the rows of an array of numbers as float64. Raises DataError for another shape, and with the row of an infinity."""
    array = _mapped(path)
    shapes: set[tuple[int, ...]] = {(len(schema.columns),)}
    if isinstance(first := schema.encoders[0], Steps):
        shapes = {(first.width,), (first.channels, first.steps)}
    elif isinstance(first, Grid):
        shapes |= {schema.shape, *([schema.shape[1:]] if schema.shape[0] == 1 else [])}
    elif not all(isinstance(encoder, Number) for encoder in schema.encoders):
        raise DataError(
            f"{path}: holds numbers alone, but model '{schema.task}' reads words too. Give a .csv or .parquet."
        )
    if array.ndim < 2 or array.shape[1:] not in shapes or len(array) == 0:
        wanted = " or ".join(str(("rows", *shape)).replace("'", "") for shape in sorted(shapes, key=len))
        raise DataError(f"{path}: must be {wanted}, but is {array.shape}.")
    size = rows_at_once(schema)
    for start in range(0, len(array), size):
        features = np.asarray(array[start : start + size], dtype=np.float64)
        bad = np.argwhere(np.isinf(features))
        if len(bad):
            raise DataError(f"{path}: row {start + bad[0][0] + 1} holds an infinite value. Correct or remove it.")
        yield Chunk(features)


def _mapped(path: Path) -> np.ndarray:
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError, EOFError, TypeError, OverflowError) as error:
        raise DataError(f"{path}: not an array of numbers: {error}") from None
    if not any(np.issubdtype(array.dtype, kind) for kind in (np.integer, np.floating, np.bool_)):
        raise DataError(f"{path}: not an array of numbers, but of {array.dtype}.")
    return np.asarray(array)
