"""A table's cells as numbers, words and moments, with file, column and row in every error. Decides nothing about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from automl.encoding import number_in, seconds
from automl.errors import DataError, did_you_mean
from automl.sources.memory import require_memory_for
from automl.sources.table import as_text, cells_of, listed, open_table
from automl.tasks.own.columns import infer_column
from automl.tasks.own.target import LARGEST
from automl.tasks.task import Column


def read_whole(path: Path, encoding: str) -> pa.Table:
    """Read the whole table. Raises DataError where the file changes meanwhile."""
    before = _state(path)
    if before is not None:
        require_memory_for(path)
    opened = open_table(path, encoding=encoding)
    try:
        table = pa.Table.from_batches(list(opened.batches()))
    except MemoryError:
        raise DataError(f"{path}: the memory is full. Take a sample of its rows.") from None
    if _state(path) != before:
        raise DataError(f"{path}: the file changed while it was read. Run again when it is at rest.")
    return table


def require_column(source: str, name: str | None, names: list[str]) -> None:
    """Raise DataError, with the nearest name, for a column that is not there; None names no column."""
    if name is not None and name not in names:
        raise DataError(f"{source}: column '{name}' not found. Columns: {listed(names)}.{did_you_mean(name, names)}")


def typed(source: str, column: pa.ChunkedArray, meaning: Column) -> np.ndarray:
    """Cells (rows,): float64 of a number, else objects. Raises DataError for a number that is too large."""
    if meaning.kind != "number":
        return shared(column)
    cells = cells_of(column, as_numbers=True)
    values = cells if cells.dtype != object else np.array([number_in(cell, meaning.blanks) for cell in cells.tolist()])
    large = np.flatnonzero(np.abs(values) > LARGEST)
    if len(large):
        spelled = as_text(column)[int(large[0])].as_py()
        raise DataError(
            f"{source}: column '{meaning.name}', row {large[0] + 1}: {spelled[:40]!r} is not a number below {LARGEST:g} "
            f"(one of {len(large)}). Correct it, or leave it empty where it is missing."
        )
    return values  # words that are taken as missing are missing from here on


def shared(column: pa.ChunkedArray) -> np.ndarray:
    """Text cells as objects; equal ones are one object, so that a column of few words costs a pointer a row."""
    encoded = as_text(column).combine_chunks().dictionary_encode()
    words = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    places = encoded.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
    return words[places]


def moments(source: str, table: pa.Table, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """When each row was: seconds since 1970 and the dates' formats, or the column's own numbers and none.

    Raises DataError for a column that does not order the rows.
    """
    column = infer_column(name, table[name])
    cells = cells_of(table[name], as_numbers=column.kind != "date")
    if column.kind == "date":
        found = seconds(cells, column.formats, name)
    elif cells.dtype == np.float64:
        found = cells
    elif column.kind == "number":
        wrong = next(place for place, cell in enumerate(cells.tolist()) if np.isinf(number_in(cell, column.blanks)))
        raise DataError(
            f"{source}: --time-col '{name}', row {wrong + 1}: {cells[wrong]!r} is not a number. Correct it."
        )
    else:
        raise DataError(
            f"{source}: --time-col '{name}' must hold dates or numbers, but holds {column.kind} ({column.why})."
        )
    missing = np.flatnonzero(np.isnan(found))
    if len(missing):
        raise DataError(
            f"{source}: --time-col '{name}' is missing in {len(missing)} rows, first in row {missing[0] + 1}."
        )
    return found, column.formats


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
