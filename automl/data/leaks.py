"""Columns that give the answer away: nobody will have them when it is asked for. Warns; leaves nothing out by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automl.encoding import words
from automl.tasks import Cells, Task

_SURE = 0.999
_COMMON = 0.9
"""A class this frequent fills most columns by itself."""
_FEWEST = 20
"""Rows on each side, below which an agreement may be chance."""


def leaks(cells: Cells, target: np.ndarray, task: Task) -> tuple[str, ...]:
    """Return a warning for each column that all but equals the target, or is filled only where the target has one value."""
    if task.input_kind != "table":
        return ()
    answer = _codes(words(target)) if task.kind == "classification" else target.astype(np.float64)
    found = []
    for name, column in cells.items():
        why = _why(column, answer, is_classes=task.kind == "classification")
        if why:
            found.append(
                f"Column '{name}' {why}: will it be known when a prediction is asked for? If not, leave it out "
                f"(--column '{name}=left out')."
            )
    return tuple(found)


def _why(column: np.ndarray, answer: np.ndarray, *, is_classes: bool) -> str:
    missing = np.array([cell is None for cell in column.tolist()]) if column.dtype == object else np.isnan(column)
    if is_classes and missing.any() and _is_filled_for_one(~missing, answer):
        return "is filled for one class of the target only"
    known = ~missing
    if known.sum() < 2 * _FEWEST:
        return ""
    if is_classes:
        values = column[known].astype(np.float64) if column.dtype != object else _codes(words(column[known]))
        return "all but equals the target" if _agree(_codes(values.tolist()), answer[known]) else ""
    if column.dtype == object:
        return ""
    values, known_answer = column[known], answer[known]
    if values.std() == 0 or known_answer.std() == 0:
        return ""
    return "all but equals the target" if abs(np.corrcoef(values, known_answer)[0, 1]) > _SURE else ""


def _agree(codes: np.ndarray, answer: np.ndarray) -> bool:
    """Whether few levels say nearly always which class a row has, though no class is that frequent by itself."""
    levels = int(codes.max()) + 1
    if levels > max(2, 2 * (int(answer.max()) + 1)):
        return False
    table = np.zeros((levels, int(answer.max()) + 1))
    np.add.at(table, (codes, answer.astype(np.int64)), 1)
    by_level, most = table.max(axis=1).sum() / table.sum(), table.sum(axis=0).max() / table.sum()
    return bool(by_level > _SURE and most < _SURE)


def _is_filled_for_one(filled: np.ndarray, answer: np.ndarray) -> bool:
    if min(filled.sum(), (~filled).sum()) < _FEWEST:
        return False
    counts = np.bincount(answer[filled])
    most = int(counts.argmax())
    return bool(counts[most] / filled.sum() > _SURE and (answer == most).mean() < _COMMON)


def _codes(values: Sequence[object]) -> np.ndarray:
    """A number for each different value, in order of appearance. By a dictionary: an array of long texts pads all to the longest."""
    known: dict[object, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], dtype=np.int64)
