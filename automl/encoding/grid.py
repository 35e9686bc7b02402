"""A picture, or other numbers that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .cells import numbers
from .encoder import WholeEncoder
from .number import scaled


@dataclass(frozen=True)
class Grid(WholeEncoder):
    """Numbers that belong together, such as pixels: less the mean, over the scale, of each channel."""

    kind: ClassVar[str] = "grid"
    columns: tuple[str, ...]
    """Name of each number, row by row, channel by channel."""
    shape: tuple[int, ...]
    means: tuple[float, ...]
    """Per channel: the first of `shape`."""
    scales: tuple[float, ...]

    @property
    def raw_columns(self) -> tuple[str, ...]:
        """The numbers' names."""
        return self.columns

    @property
    def encoded_shape(self) -> tuple[int, ...]:
        """The same as `shape`."""
        return self.shape

    def gather(self, cells: Mapping[str, Any]) -> tuple[tuple[str, ...], np.ndarray]:
        """Cells by column -> no ids, and (rows, numbers)."""
        return (), np.column_stack([numbers(np.asarray(cells[name]), name) for name in self.columns])

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """(rows, numbers) or (rows, *shape) -> (rows, *shape); a missing value is 0."""
        axes = (-1,) + (1,) * (len(self.shape) - 1)
        values = np.asarray(rows, dtype=np.float64).reshape(-1, *self.shape)
        values = scaled(values, np.reshape(self.means, axes), np.reshape(self.scales, axes))
        return np.nan_to_num(values, nan=0.0)
