"""A table's columns and the model's, matched by name; cells are brought to what each column holds. Knows no file format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from automl.data.incoming.chunk import Tell
from automl.data.schema import Schema
from automl.encoding import (
    Category,
    CellError,
    ColumnEncoder,
    Date,
    Encoder,
    Grid,
    Number,
    SeriesError,
    Steps,
    gathered,
    numbers,
    seconds,
)
from automl.errors import DataError, did_you_mean
from automl.sources.table import listed
from automl.tasks import Cells

GetCells = Callable[[str, bool, str], np.ndarray]
"""`(column, as_numbers, spelling)` -> its cells."""


def match_columns(source: str, header: Sequence[str], schema: Schema, tell: Tell) -> None:
    """Raise DataError for columns of the model that are missing, with the nearest name, or that occur twice.

    Columns that the model does not use are named to `tell`, once, unless it was trained beside them.
    """
    known = set(header)
    missing = [column for column in schema.columns if column not in known]
    if missing:
        more = f" (and {len(missing) - 1} more of the model's {len(schema.columns)})" if len(missing) > 1 else ""
        raise DataError(
            f"{source}: column '{missing[0]}' not found{more}. Columns: {listed(header)}.{did_you_mean(missing[0], header)}"
        )
    counts = Counter(header)
    for column in schema.columns:
        if counts[column] > 1:
            raise DataError(f"{source}: column '{column}' occurs {counts[column]} times. Rename all but one.")
    expected = {*schema.columns, *schema.unused, schema.target}
    unused = [column for column in header if column not in expected]
    if unused:
        tell(f"{source}: {len(unused)} columns are not used by this model: {listed(unused)}.")


def typed_cells(source: str, get: GetCells, schema: Schema, first: int) -> dict[str, np.ndarray]:
    """Numbers as float64, dates as seconds, words as objects. Raises DataError with the row, counted from `first`."""
    try:
        return {name: cells for encoder in schema.encoders for name, cells in _of_encoder(encoder, get)}
    except CellError as error:
        raise DataError(
            f"{source}: column '{error.column}', row {first + error.row}: {str(error.cell)[:80]!r} is not {error.wanted}. "
            f"Correct it, or leave it empty where it is missing."
        ) from None


def unknown_words(cells: Cells, schema: Schema) -> dict[str, int]:
    """Cells of each category that are none of its levels."""
    categories = [encoder for encoder in schema.encoders if isinstance(encoder, Category)]
    return {one.name: int((~one.is_known(cells[one.name])).sum()) for one in categories}


def gathered_cells(source: str, cells: Cells, schema: Schema) -> tuple[tuple[str, ...], np.ndarray]:
    """Ids, and an array of a row per series. Raises DataError with the row, counted from 1."""
    try:
        ids, rows = gathered(schema.encoders, cells)
    except CellError as error:
        raise DataError(
            f"{source}: column '{error.column}', row {error.row + 1}: {str(error.cell)[:80]!r} is not {error.wanted}."
        ) from None
    except SeriesError as error:
        raise DataError(f"{source}: {error}.") from None
    return ids, np.asarray(rows)


def _of_encoder(encoder: Encoder, get: GetCells) -> list[tuple[str, np.ndarray]]:
    match encoder:
        case Grid():
            return [(name, numbers(get(name, True, ""), name)) for name in encoder.columns]
        case Steps():
            found = [(name, numbers(get(name, True, ""), name, encoder.blanks)) for name in encoder.columns]
            return found + _which_and_when(encoder, get)
        case Number():
            cells = get(encoder.name, True, encoder.spelling)
            return [(encoder.name, numbers(cells, encoder.name, encoder.blanks, encoder.spelling))]
        case Date():
            return [(encoder.name, encoder.seconds(get(encoder.name, False, "")))]
        case ColumnEncoder():
            return [(encoder.name, get(encoder.name, False, ""))]
    raise TypeError(f"no cells are known for {encoder.kind}")


def _which_and_when(encoder: Steps, get: GetCells) -> list[tuple[str, np.ndarray]]:
    found = [(encoder.id, get(encoder.id, False, ""))] if encoder.id else []
    if not encoder.time:
        return found
    if encoder.formats:
        return [
            *found,
            (encoder.time, seconds(get(encoder.time, False, ""), encoder.formats, encoder.time, utc=encoder.utc)),
        ]
    spelling = encoder.time_spelling
    return [*found, (encoder.time, numbers(get(encoder.time, True, spelling), encoder.time, (), spelling))]
