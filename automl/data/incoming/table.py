"""Rows from a table in a file, a batch at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from automl.data.incoming.chunk import Chunk, Tell, rows_at_once
from automl.data.incoming.columns import match_columns, typed_cells, unknown_words
from automl.data.schema import Schema
from automl.sources import cells_of, open_table
from automl.sources.table import listed


def table_rows(path: Path, schema: Schema, tell: Tell, encoding: str = "utf-8") -> Iterator[Chunk]:
    """Yield the rows with the model's columns alone. Raises DataError with column and row.

    When all are read, `tell` is handed how many words the model does not know.
    """
    table = open_table(path, encoding=encoding)
    match_columns(table.source, table.names, schema, tell)
    first, size, unknown = 1, rows_at_once(schema), Counter[str]()
    for batch in table.batches(schema.columns, size):
        for start in range(0, batch.num_rows, size):
            piece = batch.slice(start, size)
            cells = typed_cells(table.source, partial(cells_in, piece), schema, first)
            unknown.update(unknown_words(cells, schema))
            yield Chunk(cells)
            first += piece.num_rows
    if found := [f"{name} ({count:,})" for name, count in unknown.most_common() if count]:
        tell(
            f"{table.source}: of {first - 1:,} rows, words that the model does not know, as if missing: {listed(found)}."
        )


def cells_in(batch: pa.RecordBatch, name: str, as_numbers: bool, spelling: str) -> np.ndarray:
    """A column of a batch, as `typed_cells` asks for it."""
    return cells_of(batch.column(name), as_numbers=as_numbers, spelling=spelling)
