"""What a text among other columns tells of the target: linear scores of its terms, beside numbers that were made without the target.

For the training rows it comes from other rows than their own, as the rates of `rating` do and for their reason (Wolpert 1992,
"Stacked generalization", Neural Networks 5(2)).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from automl.data.fitting import term_matrix
from automl.encoding import Text, terms_of, words

_MOST_TEXTS = 20_000
"""Texts that slopes are learned from: of 3,000 terms more would change little."""
_PENALTY = 3.0
_FEW = 10
"""Classes that are regressed on; of more, systems of 3,000 terms would take longer than a short search has."""
_MOST_SCORES = 24
"""Of more classes: numbers in which a text says what it says of them."""
_SMOOTHING = 0.1
_BY_CHANCE = 4.0
"""Standard errors of a correlation, above which it is no chance."""


def scored(encoder: Text, cells: np.ndarray, centred: np.ndarray, folds: np.ndarray) -> Text:
    """Return the encoder with scores before its other numbers, one per output or of many a few; as it is where they tell nothing.

    `centred` (rows, outputs) and `folds` (rows,) are of the training rows `cells`, as `supervised` makes them.
    """
    if len(encoder.terms) < 2:
        return encoder
    found = _from_others(encoder, cells, centred, folds)
    if not _is_informative(found, centred):
        return encoder
    slopes = _slopes(_matrix(encoder, cells), centred[:_MOST_TEXTS]) @ _directions(found)
    return replace(_with(encoder, np.hstack([slopes.round(5), encoder.components])), scores=slopes.shape[1])


def cross_scores(encoder: Text, cells: np.ndarray, centred: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """(rows, scores) the scores of these training rows, each learned from the rows of other folds, of unit variance."""
    found = _from_others(encoder, cells, centred, folds)
    return np.asarray(found @ _directions(found))


def _from_others(encoder: Text, cells: np.ndarray, centred: np.ndarray, folds: np.ndarray) -> np.ndarray:
    found, matrix = np.zeros_like(centred), _matrix(encoder, cells)
    for fold in np.unique(folds):
        mine = np.flatnonzero(folds == fold)
        others = np.flatnonzero(folds[:_MOST_TEXTS] != fold)
        if len(others):
            slopes = _slopes(matrix[others], centred[others])
            read, unread = mine[mine < _MOST_TEXTS], mine[mine >= _MOST_TEXTS]
            found[read] = matrix[read] @ slopes
            if len(unread):
                found[unread] = _with(encoder, slopes).encode(cells[unread])[:, :-1]  # the last is the length
    return found


def _matrix(encoder: Text, cells: np.ndarray) -> Any:
    texts = [terms_of(text or "") for text in words(cells[:_MOST_TEXTS])]
    return term_matrix(texts, {term: place for place, term in enumerate(encoder.terms)}, np.array(encoder.weights))


def _slopes(matrix: Any, centred: np.ndarray) -> np.ndarray:
    """(terms, outputs): of ridge regression through the origin; of many classes, how much commoner a term is in one than in all.

    The logarithms of naive Bayes (Wang and Manning 2012, "Baselines and Bigrams", ACL) take one product and no system of equations.
    """
    if centred.shape[1] > _FEW:
        counts = matrix.T @ (centred > 0) + _SMOOTHING
        in_all = counts.sum(axis=1, keepdims=True) / counts.sum()
        return np.asarray(np.log(counts / counts.sum(axis=0)) - np.log(in_all))
    from sklearn.linear_model import Ridge

    model = Ridge(_PENALTY, fit_intercept=False, solver="sparse_cg", tol=1e-3)
    return np.asarray(model.fit(matrix, centred).coef_).reshape(centred.shape[1], -1).T


def _is_informative(found: np.ndarray, centred: np.ndarray) -> bool:
    """Whether scores tell more than the mean does: they come closer to the target, or, where they have no unit, go along with it."""
    if centred.shape[1] <= _FEW:
        return bool(np.square(centred - found).sum() < np.square(centred).sum())
    own = (found - found.mean(axis=0))[centred > 0]  # what is said of each row's own class
    return bool(own.mean() > _BY_CHANCE * found.std() / math.sqrt(len(own)))


def _directions(found: np.ndarray) -> np.ndarray:
    """(outputs, scores) what scores (rows, outputs) are told in: each by itself, of many those of most variance; then 1."""
    turned = np.eye(found.shape[1])
    if found.shape[1] > _MOST_SCORES:
        turned = np.linalg.eigh(np.cov(found.T))[1][:, : -_MOST_SCORES - 1 : -1]
    scales = (found @ turned).std(axis=0)
    return np.asarray(turned / np.where(scales > 0, scales, 1.0))


def _with(encoder: Text, components: np.ndarray) -> Text:
    return replace(encoder, components=tuple(map(tuple, components.tolist())))
