"""Series from a table of long rows: all of the file, since an id's rows may lie anywhere in it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from automl.data.incoming.chunk import Chunk, Tell, rows_at_once
from automl.data.incoming.columns import gathered_cells, match_columns, typed_cells
from automl.data.incoming.table import cells_in
from automl.data.schema import Schema
from automl.sources import open_table
from automl.sources.memory import require_memory_for
from automl.sources.table import STDIN


def series_rows(path: Path, schema: Schema, tell: Tell, encoding: str = "utf-8") -> Iterator[Chunk]:
    """Yield a row per id, in order of appearance. Raises DataError with column and row, also for a history that is too short."""
    table = open_table(path, encoding=encoding)
    match_columns(table.source, table.names, schema, tell)
    if str(path) != STDIN:
        require_memory_for(path)
    first, pieces = 1, []
    for batch in table.batches(schema.columns):
        pieces.append(typed_cells(table.source, partial(cells_in, batch), schema, first))
        first += batch.num_rows
    cells = {name: np.concatenate([piece[name] for piece in pieces]) for name in schema.columns}
    ids, rows = gathered_cells(table.source, cells, schema)
    size = rows_at_once(schema)
    for start in range(0, len(rows), size):
        yield Chunk(rows[start : start + size], ids=ids[start : start + size])
