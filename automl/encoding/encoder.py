"""What all encoders are: data that was learned, and how it turns cells into a model's numbers. Two kinds, told apart by these classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np


@dataclass(frozen=True)
class Encoder(ABC):
    """Fields are plain values, so that they travel as JSON beside `kind`."""

    kind: ClassVar[str]
    """Its name in JSON."""

    @abstractmethod
    def encode(self, cells: np.ndarray) -> np.ndarray:
        """Raw values of a row each -> float64 (rows, ...). Raises CellError."""


@dataclass(frozen=True)
class ColumnEncoder(Encoder):
    """Reads the cells of one column, (rows,)."""

    name: str
    """The column."""

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Of a table's column, per feature that it becomes: 0 for a number, else how many codes it has."""
        return ()


@dataclass(frozen=True)
class WholeEncoder(Encoder):
    """Reads the whole input, so that it stands alone: a picture, a text, a series."""

    @property
    @abstractmethod
    def raw_columns(self) -> tuple[str, ...]:
        """Columns that a table of new rows must have."""

    @property
    @abstractmethod
    def encoded_shape(self) -> tuple[int, ...]:
        """Shape of one encoded row."""

    @property
    def width(self) -> int:
        """Raw values of one row where rows come as an array."""
        return len(self.raw_columns)

    @abstractmethod
    def gather(self, cells: Mapping[str, Any]) -> tuple[tuple[str, ...], np.ndarray]:
        """Cells by column -> ids, where it takes several rows of a table to make one of the model's, and rows as `encode` takes them."""
