"""What must hold before a row is learned from. Reads rows, changes none."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import replace

import numpy as np

from automl.data.fitting import MOST_LEVELS
from automl.data.given import about_given
from automl.data.leaks import leaks
from automl.encoding import Encoder, Subwords, Tokens, missing, tokens_of, words
from automl.errors import DataError
from automl.sources.table import listed
from automl.tasks import Cells, Rows, Task

FEWEST_ROWS = 20
_LOOKED_AT, _MANY_CUT = 500, 0.1
"""Texts whose length is looked at; the share that may be cut without a word: as long as 95 % are is the usual length."""


def audit(rows: Rows, task: Task) -> tuple[str, ...]:
    """Return warnings for people; raise DataError, naming column and row, for data that nothing can be learned from."""
    if rows.test is not None:
        train, test = rows.where(~rows.test), rows.where(rows.test)
        return (*audit(train, task), *_without_group(test, "test rows"), *about_given(train, test, task))
    _check_count(rows, task)
    if isinstance(rows.features, np.ndarray):
        check_shape(rows, task.shape, task)
        is_whole = np.issubdtype(rows.features.dtype, np.integer)  # bytes of pictures have no gaps and no infinities
        cells: Cells = {} if is_whole else {name: rows.features[:, place] for place, name in enumerate(rows.columns)}
    else:
        cells = rows.features
    _check_names(rows, task)
    _check_finite(cells, task)
    about_target = _check_numbers(rows, task) if task.kind == "regression" else _check_classes(rows, task)
    return (
        *rows.notes,
        *_without_group(rows, task.rows_are),
        *_about_columns(task),
        *_rare_words(cells, task),
        *(_gaps(cells) if task.series is None else _gaps_of_series(rows, task)),
        *about_target,
        *leaks(cells, rows.target, task),
    )


def about_length(encoders: tuple[Encoder, ...], cells: Cells) -> tuple[str, ...]:
    """Warn where more of the texts that are the whole input are cut than the few longest of any data."""
    encoder = encoders[0]
    if not isinstance(encoder, Tokens):
        return ()
    texts = cells[encoder.name][:_LOOKED_AT]
    is_cut = replace(encoder, length=encoder.length + 1).encode(texts)[:, -1] > 0
    if is_cut.mean() < _MANY_CUT:
        return ()
    median = np.median([len(tokens_of(text or "")) for text in words(texts)])
    what = "pieces of words" if isinstance(encoder, Subwords) else "words"
    return (f"The texts have {median:,.0f} words in the median; the first {encoder.length:,} {what} are read.",)


def check_shape(rows: Rows, shape: tuple[int, ...], task: Task) -> None:
    """Raise DataError where an array of rows does not have the task's shape."""
    assert isinstance(rows.features, np.ndarray)
    width = int(np.prod(shape))
    if rows.features.ndim != 2 or rows.features.shape[1] != width or len(rows.columns) != width:
        raise DataError(
            f"{task.name}: rows must be ({len(rows.features)}, {width}) for shape {shape}, "
            f"but are {rows.features.shape} with {len(rows.columns)} column names."
        )


def _check_count(rows: Rows, task: Task) -> None:
    features = rows.features
    count = len(features) if isinstance(features, np.ndarray) else len(next(iter(features.values()), ()))
    if count == 0:
        raise DataError(f"{task.name}: the data is empty; at least {FEWEST_ROWS} rows are needed.")
    if count < FEWEST_ROWS:
        raise DataError(f"{task.name}: too few rows ({count} < {FEWEST_ROWS}). Add rows.")
    if len(rows.target) != count:
        raise DataError(f"{task.name}: {count} rows of features, but {len(rows.target)} targets. Each row needs one.")


def _check_names(rows: Rows, task: Task) -> None:
    repeated = sorted(name for name, count in Counter(rows.columns).items() if count > 1)
    if repeated:
        raise DataError(
            f"{task.name}: column names must differ, but these occur twice: {', '.join(repeated)}. Rename them."
        )


def _check_finite(cells: Cells, task: Task) -> None:
    """Numbers only: what is text or a date is checked where it is encoded."""
    for name, column in cells.items():
        if column.dtype == object:
            continue
        infinite = np.flatnonzero(np.isinf(column))
        if len(infinite):
            raise DataError(
                f"{task.name}: column '{name}', row {infinite[0] + 1} is infinite (one of {len(infinite)}). "
                f"Correct or remove it."
            )


def _about_columns(task: Task) -> tuple[str, ...]:
    """What was left out, and what was taken for something that a person might not expect."""
    left = [f"{column.name} ({column.why})" for column in task.columns if column.kind == "left out"]
    odd = [f"{column.name} ({column.why})" for column in task.columns if column.blanks]
    found = [f"Left out: {listed(left)}."] if left else []
    doubted = [f"Column {column.name}: {column.doubt}." for column in task.columns if column.doubt]
    return tuple(found + ([f"Words among numbers: {listed(odd)}."] if odd else []) + doubted)


def _without_group(rows: Rows, what: str) -> tuple[str, ...]:
    count = 0 if rows.group is None else int((rows.group == "").sum())
    return (f"{count} of {len(rows)} {what} have no group: each is a group of its own.",) if count else ()


def _rare_words(cells: Cells, task: Task) -> tuple[str, ...]:
    """Words of which a model cannot learn each: a code for every one of them would cost memory and teach nothing."""
    levels = {
        column.name: len(set(cells[column.name].tolist())) for column in task.columns if column.kind == "category"
    }
    many = [f"{name} ({count})" for name, count in levels.items() if count > MOST_LEVELS]
    limit = f"Only the {MOST_LEVELS} commonest words have a code of their own; of others a model knows the mean target"
    return (f"{limit}: {listed(many)}.",) if many else ()


def _gaps(cells: Cells) -> tuple[str, ...]:
    counts = {name: int(missing(column).sum()) for name, column in cells.items()}
    columns = [f"{name} ({count})" for name, count in counts.items() if count]
    return (f"Missing values are filled in, and marked for the model: {listed(columns)}.",) if columns else ()


def _gaps_of_series(rows: Rows, task: Task) -> tuple[str, ...]:
    share = float(np.isnan(rows.array()).mean())
    shorter = ", with what shorter series lack" if getattr(task.series, "is_long", False) else ""
    return (f"Gaps ({share:.1%} of all steps{shorter}) are filled in, and marked for the model.",) if share else ()


def _check_numbers(rows: Rows, task: Task) -> tuple[str, ...]:
    if not np.issubdtype(rows.target.dtype, np.number):
        raise DataError(
            f"{task.name}: target '{task.target}' must be numbers for regression, but is {rows.target.dtype}."
        )
    is_bad = ~np.isfinite(rows.target) if rows.target.ndim == 1 else np.isinf(rows.target).any(axis=1)
    bad = np.flatnonzero(is_bad)
    if len(bad):
        raise DataError(
            f"{task.name}: target '{task.target}' is NaN or infinite in {len(bad)} rows, first in row {bad[0] + 1}. Remove them."
        )
    least, most = np.nanmin(rows.target), np.nanmax(rows.target)
    if least == most:
        raise DataError(f"{task.name}: target '{task.target}' is constant ({least}); there is nothing to learn.")
    if task.metric == "rmsle" and least <= -1:
        raise DataError(
            f"{task.name}: rmsle needs targets above -1, but '{task.target}' is {least:g} in row {int(np.nanargmin(rows.target)) + 1}. "
            f"Choose --metric rmse or mae."
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
    found = [f"Classes with fewer than 5 rows may be missing from a part: {listed(rare)}."] if rare else []
    alike = [" and ".join(map(repr, same)) for same in _spelled_alike(labels.tolist()) if len(same) > 1]
    return (*found, *([f"Classes that differ in case, spaces or form alone: {listed(alike)}."] if alike else []))


def _spelled_alike(labels: list[str]) -> list[list[str]]:
    found: dict[str, list[str]] = {}
    for label in labels:
        found.setdefault("".join(unicodedata.normalize("NFKC", label).casefold().split()), []).append(label)
    return list(found.values())
