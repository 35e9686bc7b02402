"""Cells of one column: read as numbers or as words, and which of them are missing. Knows no encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .spelling import DURATION, REQUIRED, number_in

Raw = Any
"""Rows as they came: a mapping from a column's name to its cells (a pandas frame is one), or an array (rows, columns)."""


class CellError(ValueError):
    """A cell is not what its column holds."""

    def __init__(self, column: str, row: int, cell: object, wanted: str) -> None:
        super().__init__(f"column '{column}', row {row + 1}: {str(cell)[:80]!r} is not {wanted}")
        self.column, self.row, self.cell, self.wanted = column, row, cell, wanted


def numbers(cells: np.ndarray, column: str, blanks: Sequence[str] = (), spelling: str = "") -> np.ndarray:
    """Cells as float64 with NaN where one is missing. Raises CellError for one that is no finite number."""
    if cells.dtype != object:
        values = np.asarray(cells, dtype=np.float64)
    else:
        values = np.array([number_in(cell, blanks, spelling) for cell in cells.tolist()], dtype=np.float64)
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise CellError(column, int(infinite[0]), cells[infinite[0]], _wanted(spelling))
    return values


def _wanted(spelling: str) -> str:
    """What a cell must be, see `number_in`: a sign may stand on either side or lack, but of a percentage it must be there."""
    if not spelling:
        return "a finite number"
    if spelling == DURATION:
        return "a duration written as 12:34:56"
    written, sign = f"a number written as 1234{spelling[0]}5", spelling[1:]
    return written + (sign if sign in REQUIRED else f", with or without {sign}" if sign else "")


def words(cells: np.ndarray) -> list[str | None]:
    """Cells as text without spaces around it, None where one is missing; a whole number is spelled without a fraction."""
    return [cell.strip() or None if type(cell) is str else _spelled(cell) for cell in cells.tolist()]


def missing(cells: np.ndarray) -> np.ndarray:
    """(rows,) whether a cell is missing: NaN, None, or only spaces."""
    if cells.dtype != object:
        return np.isnan(np.asarray(cells, dtype=np.float64))
    return np.array([word is None for word in words(cells)], dtype=bool)


def _spelled(cell: object) -> str | None:
    if cell is None or cell != cell:  # NaN, NaT
        return None
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell)
