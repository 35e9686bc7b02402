"""Long rows, of which several make one series: their ids, times and channels. Makes no series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from automl.encoding import CellError, number_in, rows_by_id
from automl.errors import DataError
from automl.tasks.cells import Cells
from automl.tasks.own.choices import Choices
from automl.tasks.own.columns import infer_column
from automl.tasks.own.reading import moments_of
from automl.tasks.own.thousands import settled
from automl.tasks.task import Column


def ordered(
    source: str, cells: Cells, id: str, time: str, formats: tuple[str, ...]
) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """Return ids, and each one's rows in order of time. Raises DataError for what `rows_by_id` refuses."""
    try:
        return rows_by_id(cells, id, time, formats)
    except CellError as error:
        what = f"is missing (not {error.wanted})" if not str(error.cell) else f"is not {error.wanted}"
        cell = "" if not str(error.cell) else f" {_plain(error.cell)!r}"
        raise DataError(f"{source}: column '{error.column}', row {error.row + 1}:{cell} {what}. Correct it.") from None


def channel_columns(source: str, table: pa.Table, choices: Choices, target: str) -> tuple[Column, ...]:
    """Return what each column but the target is taken for: a channel of the series where it holds numbers, else left out.

    One that is left out for how its numbers are written keeps that.
    """
    found = []
    for name in table.column_names:
        if name == target:
            continue
        if name == choices.id:
            column = Column(name, "left out", "says which series a row is of")
        elif name == choices.time_column:
            column = Column(name, "left out", "orders the rows of a series")
        elif name == choices.group:
            column = Column(name, "left out", "says which series belong together")
        else:
            try:
                column = infer_column(name, table[name], choices.columns.get(name))
            except DataError as error:
                raise DataError(f"{source}: {error}") from None
        found.append(column)
    return tuple(_as_channel(column) for column in settled(found, table))


def _as_channel(column: Column) -> Column:
    if column.spelling and column.kind == "number":
        why = f"{column.why}; channels of a series must be plain numbers"
        return Column(column.name, "left out", why, spelling=column.spelling)
    if column.kind in ("number", "left out"):
        return column
    why = f"a {column.kind} ({column.why}); only numbers become channels of a series"
    return Column(column.name, "left out", why)


def moments(source: str, table: pa.Table, time: str | None) -> tuple[np.ndarray, tuple[str, ...], str]:
    """When each row was (rows,), the dates' formats and the numbers' spelling; without a column of times, the order of the rows.

    Raises DataError.
    """
    if time is None:
        return np.arange(float(table.num_rows)), (), ""
    meaning = infer_column(time, table[time])
    return moments_of(source, table[time], meaning), meaning.formats, meaning.spelling


def constant(source: str, name: str, cells: np.ndarray, ids: Sequence[str], places: Sequence[np.ndarray]) -> np.ndarray:
    """Return the row of each id's first known cell. Raises DataError where an id has two different ones."""
    first = np.empty(len(ids), dtype=np.int64)
    for place, (id, rows) in enumerate(zip(ids, places, strict=True)):
        known = sorted(row for row in rows.tolist() if cells[row] is not None)
        first[place] = known[0] if known else rows[0]
        other = next((row for row in known if not _same(cells[row], cells[known[0]])), None)
        if other is not None:
            raise DataError(
                f"{source}: column '{name}' must be the same in all rows of an id, but '{id}' has {cells[known[0]]!r} in row "
                f"{known[0] + 1} and {cells[other]!r} in row {other + 1}. To predict the next steps: --kind forecast."
            )
    return first


def _same(cell: str, other: str) -> bool:
    return cell == other or cell.strip() == other.strip() or (number_in(cell) == number_in(other) != float("inf"))


def _plain(cell: object) -> object:
    return cell.item() if isinstance(cell, np.generic) else cell
