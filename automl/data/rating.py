"""Target encoding of a category with many levels: each level is replaced by the target's mean among its rows, its rate.

A rate that counts the row's own target would leak the answer, and models would learn to trust it. So a training row gets the rate
that the rows of the other folds give its level (cross-fitting); a new row gets the rate that all training rows give it.
Micci-Barreca 2001, SIGKDD Explorations 3(1), doi:10.1145/507533.507538; scikit-learn's TargetEncoder does the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from automl.encoding import Category, words

RATED_FROM = 100
"""Levels that a category must have to get rates: of fewer, a model learns each by its code."""
MOST_RATED = 100_000
"""Levels that get a rate at most, the most frequent ones: all of them are stored in the bundle."""


def rated(encoder: Category, cells: np.ndarray, centred: np.ndarray, folds: np.ndarray) -> Category:
    """Return the encoder with a rate per level and output; unchanged where levels are few or the target does not depend on them.

    `cells`, `centred` (rows, outputs: the target less its mean, see `centred_target`) and `folds` (rows,) are of the training rows.
    Rates are divided by their standard deviation over these rows, so that models see numbers of unit variance.
    """
    levels, places = _levels_of(cells)
    prior = _prior(places, centred)
    if len(levels) < RATED_FROM or np.isinf(prior):
        return encoder
    scales = _from_others(places, centred, folds).std(axis=0)
    if not scales.all():  # as where all rows are of one group, so that no other fold has any
        return encoder
    rates = _rates(places, centred, prior, len(levels)) / scales
    commonest = np.argsort(-np.bincount(places), kind="stable")[:MOST_RATED].tolist()
    kept = [place for place in commonest if levels[place]]
    return replace(
        encoder, rated=tuple(levels[place] for place in kept), rates=tuple(map(tuple, rates[kept].round(5).tolist()))
    )


def cross_rates(cells: np.ndarray, centred: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return the rates that training rows are trained with, (rows, outputs) of unit variance: each is from the rows of the other folds."""
    found = _from_others(_levels_of(cells)[1], centred, folds)
    return np.asarray(found / found.std(axis=0))


def _from_others(places: np.ndarray, centred: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """(rows, outputs) the rate of each row's level, computed without the rows of its own fold. `places` (rows,) are levels by number."""
    prior, levels = _prior(places, centred), int(places.max()) + 1
    found = np.zeros_like(centred)
    for fold in np.unique(folds):
        mine = folds == fold
        found[mine] = _rates(places[~mine], centred[~mine], prior, levels)[places[mine]]
    return found


def _levels_of(cells: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return the levels by order of appearance, and (rows,) the number of each row's level. A missing cell is the level ""."""
    known: dict[str, int] = {}
    places = np.array([known.setdefault(word or "", len(known)) for word in words(cells)])
    return list(known), places


def _rates(places: np.ndarray, centred: np.ndarray, prior: float, levels: int) -> np.ndarray:
    """(levels, outputs) the mean of `centred` at each level, shrunk towards 0 as if `prior` rows with the mean target were added."""
    sums = np.column_stack([np.bincount(places, output, levels) for output in centred.T])
    return np.asarray(sums / (np.bincount(places, minlength=levels) + prior)[:, None])


def _prior(places: np.ndarray, centred: np.ndarray) -> float:
    """Return how many rows a level must have for its mean to count by half: the variance within levels over that between levels.

    Estimated by the method of moments (empirical Bayes). Infinity where levels differ by no more than chance would make them.
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
