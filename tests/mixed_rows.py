"""Rows of a table with a column of each kind, and their encoders, for tests of encoders and of the schema that holds them."""

from __future__ import annotations

import numpy as np

from automl.encoding import Category, Date, Number, Text


def cells(*values: object) -> np.ndarray:
    """A column as readers give it."""
    return np.array(values, dtype=object)


ENCODERS = (
    Number("n", 1.0, 2.0, gaps=True, blanks=("x",)),
    Number("k", 0.0, 1.0, (0.0, 1.0), (-1.0, 1.0)),
    Category("w", ("a", "b")),
    Date("d", ("iso", "%d.%m.%Y"), 0.0, 1e9, True, True),
    Text("t", ("a", "a b"), (1.0, 2.0), ((0.5, 0.25), (1.0, 0.0))),
)

ROWS = {
    "t": cells("a b", None, "c"),
    "d": cells("2026-01-01 10:00", "01.02.2026", None),
    "n": cells("1", "x", None),
    "w": cells("a", "z", None),
    "k": np.array([0.5, -9.0, 9.0]),
}
