"""A task from a table in a file: read once, infer what each column is, hold the rows until the search takes them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa

from automl.encoding import number_in, seconds
from automl.errors import DataError, did_you_mean
from automl.sources.memory import require_memory_for
from automl.sources.table import as_text, cells_of, listed, open_table
from automl.tasks.own.choices import Choices
from automl.tasks.own.columns import infer_column
from automl.tasks.own.names import safe_name
from automl.tasks.own.target import LARGEST, Target, find_target, read_target, steered_by
from automl.tasks.task import Cells, Column, Rows, Task

FEWEST_ROWS = 20
FOLDS_BELOW = 2000
"""Rows below which one validation part is too small to choose by."""


def table_task(path: Path, choices: Choices) -> Task:
    """Return the task of predicting a column of the table at `path`.

    The file is read here, since all its cells decide what a column is. Raises DataError with file, column and row for what
    cannot be learned from, ConfigError for choices that do not fit the file.
    """
    table = _read(path, choices.encoding)
    source = str(path)
    name = find_target(source, table.column_names, choices.target)
    for chosen in (*choices.columns, choices.group, choices.time_column):
        _require_column(source, chosen, table.column_names)
    if table.num_rows < FEWEST_ROWS:
        raise DataError(f"{source}: too few rows ({table.num_rows} < {FEWEST_ROWS}). Add rows.")
    target = read_target(source, name, table[name], choices.kind)
    if int(target.known.sum()) < FEWEST_ROWS:
        raise DataError(f"{source}: too few rows with a target ({int(target.known.sum())} < {FEWEST_ROWS}). Add rows.")
    inferred = tuple(_inferred(source, table, each, choices) for each in table.column_names if each != name)
    columns = tuple(column for column in inferred if column.kind != "left out")
    if not columns:
        why = "; ".join(f"{column.name}: {column.why}" for column in inferred[:5])
        raise DataError(f"{source}: no column is left to learn from ({why}).")
    rows = _rows(source, table, columns, target, choices)
    only_text = len(columns) == 1 and columns[0].kind == "text"
    return Task(
        name=safe_name(choices.name or path.stem, "table"),
        title=f"Predict {name} from {path.name}.",
        kind=target.kind,
        input_kind="text" if only_text else "table",
        target=name,
        objectives=steered_by(choices.metric, target.objectives, target.kind),
        read=lambda: rows,
        source=source,
        columns=inferred,
        evaluation="folds" if len(rows) < FOLDS_BELOW and choices.time_column is None else "holdout",
        choices={"path": str(path.absolute()), **asdict(choices)},
        why=target.why,
    )


def _read(path: Path, encoding: str) -> pa.Table:
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


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _require_column(source: str, name: str | None, names: list[str]) -> None:
    if name is not None and name not in names:
        raise DataError(f"{source}: column '{name}' not found. Columns: {listed(names)}.{did_you_mean(name, names)}")


def _inferred(source: str, table: pa.Table, name: str, choices: Choices) -> Column:
    if name == choices.group:
        return Column(name, "left out", "says which rows belong together")
    try:
        return infer_column(name, table[name], choices.columns.get(name))
    except DataError as error:
        raise DataError(f"{source}: {error}") from None


def _rows(source: str, table: pa.Table, columns: tuple[Column, ...], target: Target, choices: Choices) -> Rows:
    known = np.flatnonzero(target.known)
    cells: Cells = {column.name: _cells(source, table[column.name], column)[known] for column in columns}
    group = None if choices.group is None else _shared(table[choices.group])[known].astype(str)
    lost = len(target.known) - len(known)
    notes = (f"{lost} rows without a target were left out.",) if lost else ()
    moment = None if choices.time_column is None else _moment(source, table, choices.time_column)[known]
    return Rows(cells, tuple(cells), target.values, group, moment, notes)


def _cells(source: str, column: pa.ChunkedArray, meaning: Column) -> np.ndarray:
    if meaning.kind != "number":
        return _shared(column)
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


def _shared(column: pa.ChunkedArray) -> np.ndarray:
    """Text cells as objects; equal ones are one object, so that a column of few words costs a pointer a row."""
    encoded = as_text(column).combine_chunks().dictionary_encode()
    words = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    places = encoded.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
    return words[places]


def _moment(source: str, table: pa.Table, name: str) -> np.ndarray:
    """When each row was: seconds, or the column's own numbers. Raises DataError for a column that does not order the rows."""
    column = infer_column(name, table[name])
    cells = cells_of(table[name], as_numbers=column.kind == "number")
    if column.kind == "date":
        moments = seconds(cells, column.formats, name)
    elif cells.dtype == np.float64:
        moments = cells
    else:
        raise DataError(
            f"{source}: --time-col '{name}' must hold dates or numbers, but holds {column.kind} ({column.why})."
        )
    missing = np.flatnonzero(np.isnan(moments))
    if len(missing):
        raise DataError(
            f"{source}: --time-col '{name}' is missing in {len(missing)} rows, first in row {missing[0] + 1}."
        )
    return moments
