"""Rows from CSV, a chunk at a time. Strict: a ragged row or a cell that is no number is an error with its line and column.

Python's own parser is used because it knows the line of every row, also after blank lines and line breaks in quotes; pandas pads
short rows in silence.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from typing import BinaryIO, TextIO

import numpy as np

from automl.data.incoming.chunk import Chunk, Tell, rows_at_once
from automl.data.incoming.columns import match_columns
from automl.data.schema import Schema
from automl.errors import DataError

_MISSING = {"", "na", "nan", "null"}
_LONGEST_LINE = 1 << 24


def csv_rows(file: BinaryIO, source: str, schema: Schema, tell: Tell) -> Iterator[Chunk]:
    """Yield the rows of an open file, its columns in the schema's order; `source` names it in errors."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    rows = _rows(text, source)
    header = [name.strip() for name in next(rows, (0, []))[1]]
    if not header:
        raise DataError(f"{source}: the file is empty.")
    places = match_columns(source, header, schema, tell)
    size, found = rows_at_once(schema), False
    lines: list[int] = []
    cells: list[list[str]] = []
    for line, row in rows:
        if len(row) != len(header):
            raise DataError(f"{source}: line {line} has {len(row)} cells, but the header has {len(header)}.")
        lines.append(line)
        cells.append(row)
        if len(cells) == size:
            found = True
            yield _chunk(cells, lines, places, header, source)
            lines, cells = [], []
    if cells:
        yield _chunk(cells, lines, places, header, source)
    elif not found:
        raise DataError(f"{source}: no rows below the header.")


def _rows(text: TextIO, source: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row's line number and cells. Blank lines are skipped."""
    reader = csv.reader(_lines(text, source), strict=True)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except UnicodeDecodeError as error:
        raise DataError(
            f"{source}: not UTF-8 ({error.reason}) after line {reader.line_num}. Save it as UTF-8."
        ) from None
    except csv.Error as error:
        raise DataError(f"{source}: not a CSV table, line {reader.line_num}: {error}.") from None
    except OSError as error:
        raise DataError(f"{source}: cannot be read: {error.strerror}.") from None


def _lines(text: TextIO, source: str) -> Iterator[str]:
    """A file without line breaks must not be read into memory as one line."""
    while line := text.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise DataError(f"{source}: a line is longer than {_LONGEST_LINE >> 20} MB. Is this a CSV table?")
        yield line


def _chunk(cells: list[list[str]], lines: list[int], places: list[int], header: list[str], source: str) -> Chunk:
    columns = list(zip(*cells, strict=True))
    features = np.empty((len(cells), len(places)))
    for index, place in enumerate(places):
        features[:, index] = _numbers(columns[place], lines, header[place], source)
    return Chunk(features)


def _numbers(column: tuple[str, ...], lines: list[int], name: str, source: str) -> np.ndarray:
    try:
        values = np.array(column, dtype=np.float64)
    except ValueError:  # a missing value is the usual reason
        values = np.array([_number(cell) for cell in column])
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        row = infinite[0]
        raise DataError(f"{source}: column '{name}', line {lines[row]}: {column[row]!r} is not a finite number.")
    return values


def _number(cell: str) -> float:
    """NaN for a missing cell; infinity for one that is no number, so that its row is found with the others."""
    if cell.strip().lower() in _MISSING:
        return math.nan
    try:
        return float(cell)
    except ValueError:
        return math.inf
