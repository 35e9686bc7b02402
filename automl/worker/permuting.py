"""Permutation importance of a table's columns: how much worse the metric gets when one column is shuffled. Fits nothing.

Breiman, "Random Forests" (2001), section 10, for any model: Fisher, Rudin and Dominici (2019, arXiv:1801.01489).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from automl.data import Schema
from automl.errors import DataError

REPEATS = 5
"""Times that each column is shuffled."""
FEWEST_REPEATS = 2
"""With fewer there is no standard error, and nothing is said."""
DRAWS = 10
"""Bootstrap samples of rows, for the standard error: the same for each shuffle and each column."""
MOST_COLUMNS = 50
"""Measured in full: those whose shuffling moves the predictions furthest in a first pass over a few rows."""
MOST_ROWS, FEWEST_ROWS, ROWS_AT_FIRST = 5_000, 200, 500
_MOST_NUMBERS = 1 << 24
"""Encoded numbers that are copied at most: 64 MiB."""
_FIRST_PASS = 0.3
"""Share of the time that choosing columns may take."""
_CAREFUL = 0.8
"""Share of the rest that is planned for."""

Predict = Callable[[np.ndarray], np.ndarray]
"""Encoded rows -> predictions as `measure` takes them."""
Measure = Callable[[np.ndarray, np.ndarray], float]
"""(target, prediction) -> a number that is larger where the model is better."""


@dataclass(frozen=True, slots=True)
class Permuted:
    """What shuffling did, column by column, the most important first."""

    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    """`number`, `category`, `date` or `text`."""
    importance: np.ndarray
    """(columns, 2): the mean loss of the metric over the shuffles, and its standard error."""
    repeats: int
    rows: int
    known: int
    """Columns that the model reads; those of them that were not measured are not listed."""


def permutation_importance(
    schema: Schema,
    predict: Predict,
    measured: Measure,
    inputs: np.ndarray,
    target: np.ndarray,
    *,
    seed: int,
    until: float,
    clock: Callable[[], float] = time.monotonic,
) -> Permuted | None:
    """Return the importance of the columns of encoded rows (rows, features), or None where there was no time for it.

    All features of a raw column are shuffled together. The standard error is the spread of the mean loss when rows are drawn
    anew (bootstrap), with what they were shuffled to: what another test part of this size would change. Fewer rows and fewer
    repeats are taken where the time would not suffice; every column that is listed was shuffled equally often.
    """
    columns = _features(schema)
    rng = np.random.default_rng(seed)
    most = max(FEWEST_ROWS, min(MOST_ROWS, _MOST_NUMBERS // inputs.shape[1]))
    rows = rng.permutation(len(target))[:most]
    began = clock()
    usual = predict(inputs[rows])
    predicted = clock()
    measured(target[rows], usual)
    cost = (predicted - began + (1 + DRAWS) * (clock() - predicted)) / len(rows)
    chosen = list(range(len(columns)))
    if len(columns) > MOST_COLUMNS:
        stop = clock() + _FIRST_PASS * (until - clock())
        chosen = _most_moving(list(columns.values()), predict, inputs[rows[:ROWS_AT_FIRST]], rng, stop, clock)
    affordable = _CAREFUL * (until - clock()) / max(cost * REPEATS * len(chosen), 1e-9)
    rows = rows[: max(FEWEST_ROWS, int(min(affordable, len(rows))))]
    spans = [list(columns.values())[place] for place in chosen]
    rounds = _rounds(spans, predict, measured, np.array(inputs[rows]), target[rows], rng, lambda: clock() >= until)
    if len(rounds) < FEWEST_REPEATS:
        return None
    losses = np.array([[loss for loss, _ in one] for one in rounds]).mean(axis=0)
    drawn = np.array([[draws for _, draws in one] for one in rounds]).mean(axis=0)  # (columns, draws)
    spread = np.nanstd(drawn, axis=1, ddof=1)
    order = np.argsort(-losses, kind="stable")
    names = [list(columns)[place] for place in chosen]
    return Permuted(
        tuple(names[place] for place in order),
        tuple(schema.encoders[chosen[place]].kind for place in order),
        np.column_stack((losses, spread))[order],
        len(rounds),
        len(rows),
        len(columns),
    )


def _features(schema: Schema) -> dict[str, slice]:
    """Say which encoded features are whose."""
    found, start = {}, 0
    for encoder in schema.named:
        found[encoder.name] = slice(start, start + len(encoder.cardinalities))
        start += len(encoder.cardinalities)
    return found


def _most_moving(
    spans: list[slice],
    predict: Predict,
    inputs: np.ndarray,
    rng: np.random.Generator,
    stop: float,
    clock: Callable[[], float],
) -> list[int]:
    """Return the columns whose shuffling moves predictions furthest; one that time did not reach counts as moving nothing."""
    rows, moved = np.array(inputs), np.zeros(len(spans))
    usual = predict(rows)
    for place, span in enumerate(spans):
        if clock() >= stop:
            break
        with _shuffled(rows, span, rng):
            moved[place] = np.abs(predict(rows) - usual).mean()
    return sorted(np.argsort(-moved, kind="stable")[:MOST_COLUMNS].tolist())


def _rounds(
    spans: list[slice],
    predict: Predict,
    measured: Measure,
    rows: np.ndarray,
    target: np.ndarray,
    rng: np.random.Generator,
    is_over: Callable[[], bool],
) -> list[list[tuple[float, list[float]]]]:
    """Return, for each repeat that was finished, every column's loss on all rows and on each draw of rows."""
    usual, done = predict(rows), list[list[tuple[float, list[float]]]]()
    whole = measured(target, usual)
    draws = rng.integers(0, len(rows), size=(DRAWS, len(rows)))
    before = [_measured(measured, target[draw], usual[draw]) for draw in draws]
    for _ in range(REPEATS):
        one = []
        for span in spans:
            if is_over():
                return done
            with _shuffled(rows, span, rng):
                after = predict(rows)
            again = (_measured(measured, target[draw], after[draw]) for draw in draws)
            one.append((whole - measured(target, after), [a - b for a, b in zip(before, again, strict=True)]))
        done.append(one)
    return done


@contextmanager
def _shuffled(rows: np.ndarray, span: slice, rng: np.random.Generator) -> Iterator[None]:
    """Shuffle some features of the rows, together, for as long as this lasts."""
    own = rows[:, span].copy()
    rows[:, span] = own[rng.permutation(len(own))]
    try:
        yield
    finally:
        rows[:, span] = own


def _measured(measured: Measure, target: np.ndarray, prediction: np.ndarray) -> float:
    try:
        return measured(target, prediction)
    except DataError:  # a draw of one class has no area under a curve
        return float("nan")
