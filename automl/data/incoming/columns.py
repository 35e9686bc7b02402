"""A table's columns and the model's, matched by name. Knows no file format."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automl.data.incoming.chunk import Tell
from automl.data.schema import Schema
from automl.errors import DataError, did_you_mean

_NAMED = 12


def match_columns(source: str, header: Sequence[str], schema: Schema, tell: Tell) -> list[int]:
    """Return the place in `header` of each of the model's columns; columns it does not use are named to `tell`, once.

    Raises DataError for columns that are missing, with the nearest name, or that occur twice.
    """
    known = set(header)
    missing = [column for column in schema.columns if column not in known]
    if missing:
        more = f" (and {len(missing) - 1} more of the model's {len(schema.columns)})" if len(missing) > 1 else ""
        raise DataError(
            f"{source}: column '{missing[0]}' not found{more}. Columns: {_listed(header)}."
            f"{did_you_mean(missing[0], header)}"
        )
    for column in schema.columns:
        if header.count(column) > 1:
            raise DataError(f"{source}: column '{column}' occurs {header.count(column)} times. Rename all but one.")
    unused = [column for column in header if column not in set(schema.columns)]
    if unused:
        tell(f"{source}: {len(unused)} columns are not used by this model: {_listed(unused)}.")
    return [header.index(column) for column in schema.columns]


def require_finite(values: np.ndarray, source: str, column: str, place: str, first: int) -> None:
    """Raise DataError at the first infinite value; `place` is `line` or `row`, `first` the number of the first value."""
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise DataError(
            f"{source}: column '{column}', {place} {first + infinite[0]} is infinite. Correct or remove it."
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f", … ({len(names)} in all)" if len(names) > _NAMED else "")
