"""Cells of a table by column: all in memory, or, where it cannot hold them, one column at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


Cells = Mapping[str, "np.ndarray"]
"""Name of a column -> its cells (rows,): float64 with NaN where missing, or objects: text and None."""


class Stored(Mapping[str, "np.ndarray"]):
    """Cells that memory cannot hold: each column is made anew whenever it is asked for."""

    def __init__(self, columns: Mapping[str, Callable[[], np.ndarray]]) -> None:
        self._columns = columns

    def __getitem__(self, name: str) -> np.ndarray:
        return self._columns[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def take(cells: Cells, places: np.ndarray) -> Cells:
    """Return the cells of some rows: of their places, or where `places` is true."""

    def some(name: str) -> np.ndarray:
        return cells[name][places]

    return _made(some, cells)


def joined(first: Cells, second: Cells) -> Cells:
    """Return the rows of both, which have the same columns."""

    def both(name: str) -> np.ndarray:
        import numpy as np

        return np.concatenate([first[name], second[name]])

    return _made(both, first, second)


def _made(make: Callable[[str], np.ndarray], *of: Cells) -> Cells:
    if any(isinstance(one, Stored) for one in of):
        return Stored({name: partial(make, name) for name in of[0]})
    return {name: make(name) for name in of[0]}


def number_columns(values: np.ndarray, names: tuple[str, ...]) -> Cells:
    """An array (rows, columns) of numbers as the cells of a table."""
    return {name: values[:, place].astype("float64") for place, name in enumerate(names)}
