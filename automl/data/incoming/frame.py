"""Rows from a pandas DataFrame that a program already holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from automl.data.incoming.chunk import Tell
from automl.data.incoming.columns import match_columns, require_finite
from automl.data.schema import Schema
from automl.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_SOURCE = "the frame"


def frame_rows(frame: pd.DataFrame, schema: Schema, tell: Tell) -> np.ndarray:
    """Return float64 (rows, features), columns matched by name; missing cells are NaN. Raises DataError with column and row."""
    match_columns(_SOURCE, [str(name) for name in frame.columns], schema, tell)
    if not len(frame):
        raise DataError(f"{_SOURCE} has no rows.")
    return np.column_stack([_numbers(frame, name) for name in schema.columns])


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    import pandas as pd

    column = frame[name]
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = np.flatnonzero((numbers.isna() & column.notna()).to_numpy())
    if len(wrong):
        raise DataError(
            f"{_SOURCE}: column '{name}', row {wrong[0] + 1}: {column.iloc[wrong[0]]!r} is not a number. "
            f"Leave a missing cell empty."
        )
    values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    require_finite(values, _SOURCE, name, "row", 1)
    return values
