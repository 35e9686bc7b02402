"""A number of a table, scaled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .cells import numbers
from .encoder import ColumnEncoder

FARTHEST = 1e6
"""A new value that lies more scales than this from the mean would overflow a model's float32; it counts as this far."""


@dataclass(frozen=True)
class Number(ColumnEncoder):
    """A number, scaled to about N(0, 1): less the mean, over the scale; or along knots where the tails are heavy."""

    kind: ClassVar[str] = "number"
    mean: float = 0.0
    scale: float = 1.0
    knots: tuple[float, ...] = ()
    """Raw values in rising order; between them the map to `heights` is linear, beyond them constant."""
    heights: tuple[float, ...] = ()
    gaps: bool = False
    """Whether training rows had gaps: then a second feature is 1 where the value is missing."""
    blanks: tuple[str, ...] = ()
    """Words besides `BLANKS` that mean a missing value in this column."""
    spelling: str = ""
    """How its text cells are written, as `number_in` takes it."""

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """0 per feature: numbers."""
        return (0, 0) if self.gaps else (0,)

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(rows,) -> (rows, 1 or 2); a missing value is 0."""
        values = numbers(cells, self.name, self.blanks, self.spelling)
        known = ~np.isnan(values)
        placed = np.interp(values, self.knots, self.heights) if self.knots else scaled(values, self.mean, self.scale)
        features = [np.where(known, placed, 0.0)] + ([(~known).astype(np.float64)] if self.gaps else [])
        return np.column_stack(features)


def scaled(values: np.ndarray, mean: float | np.ndarray, scale: float | np.ndarray) -> np.ndarray:
    """Values less the mean, over the scale, and no farther away than a float32 bears."""
    with np.errstate(over="ignore"):
        return np.clip((values - mean) / scale, -FARTHEST, FARTHEST)
