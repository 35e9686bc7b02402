"""What the target is on average at each level of a category: a number that says of thousands of levels what codes could not.

For the training rows it comes from other rows than their own: else models would learn to believe a number that knows the answer
(Micci-Barreca 2001, SIGKDD Explorations 3(1), doi:10.1145/507533.507538; cross-fitting as in scikit-learn's TargetEncoder).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from automl.encoding import Category, words

RATED_FROM = 100
"""Levels from which a category is rated: fewer are learned one by one."""
MOST_RATED = 100_000
"""Levels that have a rate, the commonest: they travel in the bundle."""


def rated(encoder: Category, cells: np.ndarray, centred: np.ndarray, folds: np.ndarray) -> Category:
    """Return the encoder with the rates of these training rows' levels; as it is where levels are few or tell nothing.

    `centred` (rows, outputs) and `folds` (rows,) are of the same rows.
    """
    levels, places = _levels_of(cells)
    prior = _prior(places, centred)
    if len(levels) < RATED_FROM or np.isinf(prior):
        return encoder
    scales = _from_others(places, centred, folds).std(axis=0)
    if not scales.all():  # a single group, say, has no others to learn from
        return encoder
    rates = _rates(places, centred, prior, len(levels)) / scales
    commonest = np.argsort(-np.bincount(places), kind="stable")[:MOST_RATED].tolist()
    kept = [place for place in commonest if levels[place]]
    return replace(
        encoder, rated=tuple(levels[place] for place in kept), rates=tuple(map(tuple, rates[kept].round(5).tolist()))
    )


def cross_rates(cells: np.ndarray, centred: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """(rows, outputs) the rates of these training rows, each from the rows of other folds, of unit variance."""
    found = _from_others(_levels_of(cells)[1], centred, folds)
    return np.asarray(found / found.std(axis=0))


def _from_others(places: np.ndarray, centred: np.ndarray, folds: np.ndarray) -> np.ndarray:
    prior, levels = _prior(places, centred), int(places.max()) + 1
    found = np.zeros_like(centred)
    for fold in np.unique(folds):
        mine = folds == fold
        found[mine] = _rates(places[~mine], centred[~mine], prior, levels)[places[mine]]
    return found


def _levels_of(cells: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Levels, and each row's place among them; a missing cell is a level, the empty word."""
    known: dict[str, int] = {}
    places = np.array([known.setdefault(word or "", len(known)) for word in words(cells)])
    return list(known), places


def _rates(places: np.ndarray, centred: np.ndarray, prior: float, levels: int) -> np.ndarray:
    """(levels, outputs): the mean of each level's rows and of `prior` more rows whose target is as it is on average."""
    sums = np.column_stack([np.bincount(places, output, levels) for output in centred.T])
    return np.asarray(sums / (np.bincount(places, minlength=levels) + prior)[:, None])


def _prior(places: np.ndarray, centred: np.ndarray) -> float:
    """Variance within levels over that between them, by the method of moments: how many rows a level must have to count by half.

    Infinity where levels do not differ by more than chance.
    """
    counts = np.bincount(places)
    rows, levels = len(places), len(counts)
    if rows <= levels or levels < 2:
        return float("inf")
    sums = np.column_stack([np.bincount(places, output) for output in centred.T])
    explained = float((np.square(sums) / counts[:, None]).sum())
    within = (float(np.square(centred).sum()) - explained) / (rows - levels)
    between = (explained - (levels - 1) * within) / (rows - np.square(counts).sum() / rows)
    return within / between if between > 0 else float("inf")
