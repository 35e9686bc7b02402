"""A table of one's own as cells: each column by what it is taken for, on disk where memory cannot hold it. Infers nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from automl.encoding import CellError, number_in, seconds
from automl.errors import DataError, did_you_mean
from automl.sources.memory import fits, require_memory, table_fits
from automl.sources.scratch import array_on_disk, table_on_disk
from automl.sources.table import as_text, cells_of, listed, open_table
from automl.tasks.cells import Cells, Stored
from automl.tasks.own.target import LARGEST
from automl.tasks.task import Column

_ROW_BYTES = 250
"""What each row takes whatever it holds: its hash, its place in the order of hashes, its target."""
_CELL_BYTES = 32
"""What a cell takes: a number 8, a word of its own some 60, one that others share 8."""


def whole_table(path: Path, encoding: str, unread: Iterable[str] = ()) -> pa.Table:
    """Read the whole table; one that memory cannot hold is mapped from a file without a name.

    Columns that are `unread` hold nulls, whatever is in the file. Raises DataError for what is no table, for more rows than memory
    can sort, and where it changes meanwhile.
    """
    before = _state(path)
    opened, unread = open_table(path, encoding=encoding), set(unread)
    batches = opened.batches([name for name in opened.names if name not in unread])
    try:
        is_small = before is None or table_fits(path)  # of a pipe nobody knows the size
        table = pa.Table.from_batches(list(batches)) if is_small else table_on_disk(batches)
    except MemoryError:
        raise DataError(f"{path}: the memory is full. Take a sample of its rows.") from None
    if _state(path) != before:
        raise DataError(f"{path}: the file changed while it was read. Run again when it is at rest.")
    require_memory(str(path), _ROW_BYTES * table.num_rows, "Take a sample of its rows, or a machine with more memory.")
    for place, name in enumerate(opened.names):
        if name in unread:
            table = table.add_column(place, name, pa.nulls(table.num_rows))
    return table


def require_column(source: str, name: str | None, names: list[str]) -> None:
    """Raise DataError, with the nearest name, for a column that is not there; None names no column."""
    if name is not None and name not in names:
        raise DataError(f"{source}: column '{name}' not found. Columns: {listed(names)}.{did_you_mean(name, names)}")


def cells_by_column(source: str, table: pa.Table, columns: Iterable[Column], rows: np.ndarray) -> Cells:
    """Return the cells of some rows, `cells_as` of each column; where memory cannot hold them all, one column at a time."""
    columns = tuple(columns)
    if fits(2 * _CELL_BYTES * len(rows) * len(columns)):
        return {column.name: cells_as(source, table[column.name], column)[rows] for column in columns}
    return Stored({column.name: _stored(source, table[column.name], column, rows) for column in columns})


def _stored(source: str, column: pa.ChunkedArray, meaning: Column, rows: np.ndarray) -> Callable[[], np.ndarray]:
    if meaning.kind != "number":
        return lambda: shared_text(column)[rows]
    cells = array_on_disk(cells_as(source, column, meaning)[rows])
    return lambda: cells


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
    encoded = as_text(column).dictionary_encode()
    if isinstance(encoded, pa.DictionaryArray):
        encoded = pa.chunked_array([encoded])
    chunks = encoded.unify_dictionaries().chunks
    words = np.array([*(chunks[0].dictionary.to_pylist() if chunks else []), None], dtype=object)
    missing = len(words) - 1
    places = [chunk.indices.fill_null(missing).to_numpy(zero_copy_only=False) for chunk in chunks]
    return words[np.concatenate(places)] if places else words[:0]


def groups_in(cells: np.ndarray) -> np.ndarray:
    """What each row's group is called (rows,), as `Rows.group` holds it; "None" is a name like others."""
    return np.array([(cell or "").strip() for cell in cells.tolist()], dtype=str)


def moments_of(source: str, column: pa.ChunkedArray, meaning: Column) -> np.ndarray:
    """When each row was: seconds, or the column's own numbers. Raises DataError for a column that does not order the rows."""
    name = meaning.name
    cells = cells_of(column, as_numbers=meaning.kind != "date", spelling=meaning.spelling)
    if meaning.kind == "date":
        moments = checked_dates(source, cells, meaning)
    elif cells.dtype == np.float64:
        moments = cells
    elif meaning.kind == "number":
        moments = np.array([number_in(cell, meaning.blanks, meaning.spelling) for cell in cells.tolist()])
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
