"""A table of one's own as cells: read whole, each column by what it is taken for. Infers nothing and splits nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from automl.encoding import CellError, number_in, seconds
from automl.errors import DataError, did_you_mean
from automl.sources.memory import require_memory_for
from automl.sources.table import as_text, cells_of, listed, open_table
from automl.tasks.own.target import LARGEST
from automl.tasks.task import Column


def whole_table(path: Path, encoding: str) -> pa.Table:
    """Read the whole table. Raises DataError for what is none, for one that memory cannot hold, and where it changes meanwhile."""
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


def cells_as(source: str, column: pa.ChunkedArray, meaning: Column) -> np.ndarray:
    """A column's cells (rows,): float64 of numbers, text of all else. Raises DataError with the row of a cell that is none of it."""
    if meaning.kind != "number":
        return shared_text(column)
    values = cells_of(column, as_numbers=True, spelling=meaning.spelling)
    if values.dtype == object:
        values = np.array([number_in(cell, meaning.blanks, meaning.spelling) for cell in values.tolist()])
    large = np.flatnonzero(np.abs(values) > LARGEST)
    if len(large):
        spelled = as_text(column)[int(large[0])].as_py()
        raise DataError(
            f"{source}: column '{meaning.name}', row {large[0] + 1}: {spelled[:40]!r} is not a number below {LARGEST:g} "
            f"(one of {len(large)}). Correct it, or leave it empty where it is missing."
        )
    return values  # words that are taken as missing are missing from here on


def shared_text(column: pa.ChunkedArray) -> np.ndarray:
    """Text cells as objects; equal ones are one object, so that a column of few words costs a pointer a row."""
    encoded = as_text(column).combine_chunks().dictionary_encode()
    words = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    places = encoded.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
    return words[places]


def moments_of(source: str, column: pa.ChunkedArray, meaning: Column) -> np.ndarray:
    """When each row was: seconds, or the column's own numbers. Raises DataError for a column that does not order the rows."""
    name = meaning.name
    cells = cells_of(column, as_numbers=meaning.kind != "date")
    if meaning.kind == "date":
        moments = checked_dates(source, cells, meaning)
    elif cells.dtype == np.float64:
        moments = cells
    elif meaning.kind == "number":
        moments = np.array([number_in(cell, meaning.blanks) for cell in cells.tolist()])
        wrong = np.flatnonzero(np.isinf(moments))
        if len(wrong):
            raise DataError(
                f"{source}: --time-col '{name}', row {wrong[0] + 1}: {cells[wrong[0]]!r} is not a number. Correct it."
            )
    else:
        raise DataError(
            f"{source}: --time-col '{name}' must hold dates or numbers, but holds {meaning.kind} ({meaning.why})."
        )
    missing = np.flatnonzero(np.isnan(moments))
    if len(missing):
        raise DataError(
            f"{source}: --time-col '{name}' is missing in {len(missing)} rows, first in row {missing[0] + 1}."
        )
    return moments


def checked_dates(source: str, cells: np.ndarray, meaning: Column) -> np.ndarray:
    """Dates as seconds since 1970. Raises DataError with the row of a cell in no known format."""
    try:
        return seconds(cells, meaning.formats, meaning.name)
    except CellError as error:
        raise DataError(f"{source}: {error}. Correct it, or leave it empty where it is missing.") from None


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
