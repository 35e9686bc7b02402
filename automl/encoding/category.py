"""One of several levels, as a code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .cells import words
from .encoder import ColumnEncoder


@dataclass(frozen=True)
class Category(ColumnEncoder):
    """One of several levels, as a code: 0 for a missing or unseen one, then 1, 2, ... as listed."""

    kind: ClassVar[str] = "category"
    levels: tuple[str, ...]

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Levels and the code 0."""
        return (len(self.levels) + 1,)

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(rows,) -> (rows, 1)."""
        codes = {level: place for place, level in enumerate(self.levels, 1)}
        return np.array(
            [codes.get(word, 0) if word is not None else 0 for word in words(cells)], dtype=np.float64
        ).reshape(-1, 1)
