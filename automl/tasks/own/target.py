"""What is to be predicted: classes or numbers, and by which metric that is judged. Looks at the target's cells alone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl.encoding import is_overflow, number_in
from automl.errors import ConfigError, DataError, did_you_mean
from automl.sources.table import as_text, listed, plain_numbers
from automl.tasks.own.spelling import spelling_of
from automl.tasks.own.thousands import THOUSANDS, dots_in

MOST_NUMBERED_CLASSES = 20
_MOST_SURE_CLASSES = 10
"""Of whole numbers; more are counts where some of them have fewer than `_RARE_ROWS` rows, and a smaller share than `_RARE_SHARE`."""
_RARE_ROWS, _RARE_SHARE = 10, 0.005
MOST_CLASSES = 1000
MOST_MISSING = 0.5
_LONGEST_NAME = 40
"""Characters of a column's name in an error."""
LARGEST = 1e100
"""Numbers beyond it cannot be squared and summed; they mark a missing value or a mistake."""
Kind = Literal["classification", "regression"]
OBJECTIVES: dict[str, tuple[tuple[str, str], ...]] = {
    "binary": (("roc_auc", "maximize"), ("accuracy", "maximize"), ("log_loss", "minimize")),
    "classes": (("accuracy", "maximize"), ("log_loss", "minimize"), ("balanced_accuracy", "maximize")),
    "regression": (("rmse", "minimize"), ("r2", "maximize"), ("mae", "minimize")),
    "forecast": (("mae", "minimize"), ("rmse", "minimize"), ("r2", "maximize"), ("mape", "minimize")),
}


@dataclass(frozen=True)
class Target:
    """The column that is predicted."""

    name: str
    kind: Kind
    objectives: tuple[tuple[str, str], ...]
    values: np.ndarray
    """Cells that are known: text for classes, float64 for numbers."""
    known: np.ndarray
    """(rows,) whether a row has one; the others cannot be learned from."""
    why: str
    spelling: str = ""
    """How its numbers are written, as `automl.encoding.number_in` takes it."""


def find_target(source: str, names: Iterable[str], wanted: str | None) -> str:
    """Return the target's name. Raises ConfigError where none was given, DataError where the table has no such column."""
    names = list(names)
    if wanted is None:
        raise ConfigError(
            f"{source}: which column is to be predicted? Name it with --target. Columns: {_listed(names)}."
        )
    if wanted not in names:
        near = did_you_mean(wanted, names) or _why_not_there(names)
        raise DataError(f"{source}: column '{wanted}' not found. Columns: {_listed(names)}.{near}")
    return wanted


def _listed(names: list[str]) -> str:
    """The first names, each in one piece unless it is a sentence."""
    return listed(name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…" for name in names)


def _why_not_there(names: list[str]) -> str:
    if len(names) == 1:
        return " There is one column only: a table's cells are divided by commas, semicolons, tabs or bars."
    if sum(math.isfinite(number_in(name)) for name in names) >= len(names) / 2:
        return " Is its first line data? It must name the columns."
    return ""


def read_target(
    source: str,
    name: str,
    cells: pa.ChunkedArray,
    chosen: str | None,
    places: np.ndarray | None = None,
    *,
    comma: bool = False,
) -> Target:
    """Return the target. In classes only an empty cell is missing: "NA" and "None" are names like others.

    `places` are the cells' rows in the file, where they are not all of it, as errors name them. Where other columns have a decimal
    `comma`, dots may divide thousands.
    Raises DataError where half of the cells are missing, for one class or a constant, and for numbers that are none.
    """
    places = np.arange(len(cells)) if places is None else places
    is_divided = comma and dots_in(cells) == THOUSANDS
    plain = plain_numbers(cells) if chosen != "classification" and not is_divided else None
    if (
        plain is not None
        and (levels := len(np.unique(plain[~np.isnan(plain)]))) > 2
        and np.nanmax(abs(plain)) <= LARGEST
    ):
        known = ~np.isnan(plain)
        _require_enough(source, name, known, places)
        why = "as you said" if chosen else f"numbers, {levels} different"
        return Target(name, "regression", OBJECTIVES["regression"], plain[known], known, why)
    words = _words(cells)
    spelling = spelling_of(word for word in dict.fromkeys(words.tolist()) if word is not None)
    if comma and dots_in(cells, spelling) == THOUSANDS:
        spelling = "," + spelling[1:]
    numbers = _numbers(words, spelling)
    kind, why = (chosen, "as you said") if chosen else _infer(words, numbers)
    if kind == "classification":
        known = np.array([word is not None for word in words.tolist()], dtype=bool)
        values = words[known]
    else:
        known = ~np.isnan(numbers)
        values = numbers[known]
        wrong = np.flatnonzero(np.abs(numbers) > LARGEST)
        if len(wrong):
            raise DataError(
                f"{source}: target '{name}', row {places[wrong[0]] + 1}: {str(words[wrong[0]])[:40]!r} is not a number below {LARGEST:g}, "
                f"which regression needs. Correct it, or choose --kind classification."
            )
    _require_enough(source, name, known, places)
    return Target(name, kind, _objectives(source, name, kind, values), values, known, why, spelling)  # type: ignore[arg-type]


def read_answers(source: str, target: Target, cells: pa.ChunkedArray, places: np.ndarray | None = None) -> np.ndarray:
    """Return the target of rows to test with, each of which must have one that the training rows have taught.

    `places` are the cells' rows in the file, where they are not all of it, as errors name them.
    Raises DataError with the row of a gap, of a class that no training row has, and of a cell that is no number.
    """
    words = _words(cells)
    if target.kind == "classification":
        classes = set(target.values.tolist())
        wrong = np.flatnonzero([word not in classes for word in words.tolist()])
        rule = "a class of the training rows"
        values = words
    else:
        values = _numbers(words, target.spelling)
        wrong = np.flatnonzero(np.isnan(values) | (np.abs(values) > LARGEST))
        rule = f"a number below {LARGEST:g}"
    if len(wrong):
        row, word = wrong[0], words[wrong[0]]
        place = f"{source}: target '{target.name}', row {(row if places is None else places[row]) + 1}: "
        if word is None or (target.kind == "regression" and np.isnan(values[row])):
            raise DataError(f"{place}is missing (one of {len(wrong)}). A row to test with needs its answer.")
        near = did_you_mean(word, classes) if target.kind == "classification" else ""
        raise DataError(f"{place}{word[:40]!r} is not {rule} (one of {len(wrong)}).{near}")
    return values


def _words(cells: pa.ChunkedArray) -> np.ndarray:
    """Text without spaces around it; None where a cell is empty."""
    text = pc.utf8_trim_whitespace(as_text(cells))
    return np.array(pc.if_else(pc.equal(text, ""), None, text).to_pylist(), dtype=object)


def _numbers(words: np.ndarray, spelling: str) -> np.ndarray:
    """(rows,) NaN where a number is missing, infinity where there is none."""
    known = {word: number_in(word, (), spelling) for word in dict.fromkeys(words.tolist())}
    return np.array([known[word] for word in words.tolist()], dtype=np.float64)


def _infer(words: np.ndarray, numbers: np.ndarray) -> tuple[str, str]:
    given = np.array([word is not None for word in words.tolist()], dtype=bool)
    odd = given & np.isinf(numbers)  # a word that means a missing number is none of them
    odd[odd] = [not is_overflow(word) for word in words[odd].tolist()]
    levels = len(set(words[given].tolist()))
    if odd.sum() > 0.01 * max(1, given.sum()) or not np.isfinite(numbers).any():
        return "classification", f"{levels} different words"
    finite = numbers[np.isfinite(numbers)]
    whole = bool(np.all(np.mod(finite, 1) == 0))
    if levels <= 2:
        return "classification", f"{levels} different whole numbers" if whole else f"{levels} different values"
    if whole and levels <= min(MOST_NUMBERED_CLASSES, max(2, given.sum() // 10)) and not _are_counts(finite):
        return "classification", f"{levels} different whole numbers; if they are amounts: --kind regression"
    return "regression", f"numbers, {levels} different"


def _are_counts(numbers: np.ndarray) -> bool:
    """Many values, some of them too rare for a class that could be learned: the tail of a count, such as claims or visits."""
    rows = np.unique(numbers, return_counts=True)[1]
    return bool(len(rows) > _MOST_SURE_CLASSES and rows.min() < min(_RARE_ROWS, _RARE_SHARE * len(numbers)))


def _require_enough(source: str, name: str, known: np.ndarray, places: np.ndarray) -> None:
    missing = int((~known).sum())
    if len(known) and missing > MOST_MISSING * len(known):
        first = int(places[np.flatnonzero(~known)[0]]) + 1
        raise DataError(
            f"{source}: target '{name}' is missing in {missing} of {len(known)} rows, first in row {first}. "
            f"At most half may be missing; is this the right column?"
        )


def _objectives(source: str, name: str, kind: str, values: np.ndarray) -> tuple[tuple[str, str], ...]:
    levels = len(set(values.tolist()))
    if levels == 1:
        what = "one class only" if kind == "classification" else "one value only"
        raise DataError(f"{source}: target '{name}' has {what} ({values[0]}); there is nothing to learn.")
    if kind == "regression":
        return OBJECTIVES["regression"]
    if levels > min(MOST_CLASSES, max(2, len(values) // 2)):
        raise DataError(
            f"{source}: target '{name}' has {levels} classes in {len(values)} rows; at most {MOST_CLASSES}, and two rows a "
            f"class in the mean, can be learned. Choose another column, or --kind regression for numbers."
        )
    return OBJECTIVES["binary" if levels == 2 else "classes"]


def without_target(lost: int, one: str, many: str) -> str:
    """Say how many rows or series cannot be learned from: `1 row without a target was left out.`"""
    return f"{one} without a target was left out." if lost == 1 else f"{lost:,} {many} without a target were left out."
