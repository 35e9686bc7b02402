"""What must hold before a row is learned from. Reads rows, changes none."""

from __future__ import annotations

import numpy as np

from automl.errors import DataError
from automl.tasks import Rows, Task

FEWEST_ROWS = 20


def audit(rows: Rows, task: Task) -> tuple[str, ...]:
    """Return warnings for people; raise DataError, naming column and row, for data that nothing can be learned from."""
    _check_shapes(rows, task)
    _check_features(rows, task)
    if task.kind == "regression":
        return _features_warnings(rows) + _check_numbers(rows, task)
    return _features_warnings(rows) + _check_classes(rows, task)


def _check_shapes(rows: Rows, task: Task) -> None:
    count = len(rows.features)
    if count == 0:
        raise DataError(f"{task.name}: the data is empty; at least {FEWEST_ROWS} rows are needed.")
    if count < FEWEST_ROWS:
        raise DataError(f"{task.name}: too few rows ({count} < {FEWEST_ROWS}). Add rows.")
    if len(rows.target) != count:
        raise DataError(f"{task.name}: {count} rows of features, but {len(rows.target)} targets. Each row needs one.")
    if (
        rows.features.ndim != 2
        or rows.features.shape[1] != np.prod(task.shape)
        or len(rows.columns) != np.prod(task.shape)
    ):
        raise DataError(
            f"{task.name}: rows must be ({count}, {np.prod(task.shape)}) for shape {task.shape}, "
            f"but are {rows.features.shape} with {len(rows.columns)} column names."
        )
    repeated = sorted({name for name in rows.columns if rows.columns.count(name) > 1})
    if repeated:
        raise DataError(
            f"{task.name}: column names must differ, but these occur twice: {', '.join(repeated)}. Rename them."
        )


def _check_features(rows: Rows, task: Task) -> None:
    if not np.issubdtype(rows.features.dtype, np.number):
        raise DataError(
            f"{task.name}: features must be numbers, but are {rows.features.dtype}. Encode text columns first."
        )
    at = np.argwhere(np.isinf(rows.features))
    if len(at):
        row, column = at[0]
        raise DataError(
            f"{task.name}: column '{rows.columns[column]}', row {row + 1} is infinite (one of {len(at)}). Correct or remove it."
        )


def _features_warnings(rows: Rows) -> tuple[str, ...]:
    missing = np.isnan(rows.features).sum(axis=0)
    columns = [f"{rows.columns[index]} ({missing[index]})" for index in np.flatnonzero(missing)]
    return (f"Missing values become their column's mean: {', '.join(columns)}.",) if columns else ()


def _check_numbers(rows: Rows, task: Task) -> tuple[str, ...]:
    if not np.issubdtype(rows.target.dtype, np.number):
        raise DataError(
            f"{task.name}: target '{task.target}' must be numbers for regression, but is {rows.target.dtype}."
        )
    bad = np.flatnonzero(~np.isfinite(rows.target))
    if len(bad):
        raise DataError(
            f"{task.name}: target '{task.target}' is NaN or infinite in {len(bad)} rows, first in row {bad[0] + 1}. Remove them."
        )
    if rows.target.min() == rows.target.max():
        raise DataError(
            f"{task.name}: target '{task.target}' is constant ({rows.target[0]}); there is nothing to learn."
        )
    return ()


def _check_classes(rows: Rows, task: Task) -> tuple[str, ...]:
    missing = np.flatnonzero([label is None or label != label for label in rows.target.tolist()])  # NaN != NaN
    if len(missing):
        raise DataError(
            f"{task.name}: target '{task.target}' is missing in {len(missing)} rows, first in row {missing[0] + 1}. Remove them."
        )
    labels, counts = np.unique([str(label) for label in rows.target.tolist()], return_counts=True)
    if len(labels) == 1:
        raise DataError(
            f"{task.name}: target '{task.target}' has one class only ({labels[0]}); at least two are needed."
        )
    rare = [f"{label} ({count})" for label, count in zip(labels, counts, strict=True) if count < 5]
    return (f"Classes with fewer than 5 rows may be missing from a part: {', '.join(rare)}.",) if rare else ()
