"""Which reader a source of new rows needs. Reads nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from automl.data.incoming.array import array_rows
from automl.data.incoming.chunk import Chunk, Tell
from automl.data.incoming.images import image_rows
from automl.data.incoming.series import series_rows
from automl.data.incoming.table import table_rows
from automl.data.incoming.texts import text_rows
from automl.data.schema import Schema


def read_rows(path: Path, schema: Schema, tell: Tell, *, encoding: str = "utf-8") -> Iterator[Chunk]:
    """Yield raw rows of a table (see `open_table`), a `.npy`, or a folder of pictures or texts.

    Table columns are matched by name whatever their order, and those the model does not use are named to `tell`. A `.npy` holds
    (rows, features), (rows, *shape) or, for images of one channel, (rows, height, width), and is mapped, not loaded. Raises
    DataError that names file, row and column. Of long rows each series is a row, as the model reads them.
    """
    if path.is_dir():
        if schema.input_kind == "text":
            return text_rows(path, schema, tell, encoding)
        return image_rows(path, schema, tell)
    if path.suffix.lower() == ".npy" and path.is_file():
        return array_rows(path, schema)
    return (series_rows if schema.is_long else table_rows)(path, schema, tell, encoding)
