"""Rows from a pandas DataFrame that a program already holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from automl.data.incoming.chunk import Tell
from automl.data.incoming.columns import gathered_cells, match_columns, typed_cells
from automl.data.schema import Schema
from automl.encoding import Raw
from automl.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_SOURCE = "the frame"


def frame_series(frame: pd.DataFrame, schema: Schema, tell: Tell) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the ids of a frame's long rows, and an array of a row per series. Raises DataError with column and row."""
    cells = frame_rows(frame, schema, tell)
    assert not isinstance(cells, np.ndarray)
    return gathered_cells(_SOURCE, cells, schema)


def frame_rows(frame: pd.DataFrame, schema: Schema, tell: Tell) -> Raw:
    """Return the cells of the model's columns, matched by name; of pictures as one array. Raises DataError with column and row."""
    named = frame.set_axis([str(name) for name in frame.columns], axis=1)
    match_columns(_SOURCE, list(named.columns), schema, tell)
    if not len(frame):
        raise DataError(f"{_SOURCE} has no rows.")

    if not schema.named and not schema.is_long:
        numbers = _numbers(named[list(schema.columns)])
        if numbers is not None:
            return numbers

    def cells(name: str, as_numbers: bool, spelling: str) -> np.ndarray:
        import pandas as pd

        column = named[name]
        if as_numbers and pd.api.types.is_numeric_dtype(column.dtype):
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        texts = column.astype(object)
        return texts.where(column.notna(), None).to_numpy(dtype=object)

    return typed_cells(_SOURCE, cells, schema, 1)


def _numbers(frame: pd.DataFrame) -> np.ndarray | None:
    """All at once where all are finite numbers: a column at a time takes seconds for the thousands of a picture."""
    import pandas as pd

    if not all(pd.api.types.is_numeric_dtype(kind) for kind in set(frame.dtypes)):
        return None
    values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    return None if np.isinf(values).any() else values
