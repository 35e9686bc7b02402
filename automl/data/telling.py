"""Supervised features of a text column: a linear model predicts the target from the text's terms, and its predictions become features.

They are called scores, and stand before the components of `Text`, which are fitted without the target. As the rates of `rating`, and
for the same reason, those of a training row come from a model that was fitted without the row's fold (stacking: Wolpert 1992,
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
"""Texts that the linear model is fitted on at most: for 3,000 terms more would change little."""
_PENALTY = 3.0
"""Of ridge regression."""
_FEW = 10
"""Outputs up to which ridge regression is fitted; for more it would take longer than a short search has, and naive Bayes is used."""
_MOST_SCORES = 24
"""Scores at most; of more classes the principal components of their scores are kept."""
_SMOOTHING = 0.1
"""Added to the counts of naive Bayes, so that none is 0."""
_BY_CHANCE = 4.0
"""Standard errors that naive Bayes scores of a row's own class must lie above their mean, to be kept."""


def scored(encoder: Text, cells: np.ndarray, centred: np.ndarray, folds: np.ndarray) -> Text:
    """Return the encoder with scores before its other features, one per output, at most 24; unchanged where they predict nothing.

    `cells`, `centred` (rows, outputs: the target less its mean, see `centred_target`) and `folds` (rows,) are of the training rows.
    """
    if len(encoder.terms) < 2:
        return encoder
    found = _from_others(encoder, cells, centred, folds)
    if not _is_informative(found, centred):
        return encoder
    slopes = _slopes(_matrix(encoder, cells), centred[:_MOST_TEXTS]) @ _directions(found)
    return replace(_with(encoder, np.hstack([slopes.round(5), encoder.components])), scores=slopes.shape[1])


def cross_scores(encoder: Text, cells: np.ndarray, centred: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return the scores that training rows are trained with, (rows, scores) of unit variance: each is fitted on the other folds."""
    found = _from_others(encoder, cells, centred, folds)
    return np.asarray(found @ _directions(found))


def _from_others(encoder: Text, cells: np.ndarray, centred: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """(rows, outputs) predictions of the centred target, for each row by a model that was fitted without the rows of its fold."""
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
    """Sparse (texts, terms): term frequency times inverse document frequency of the first `_MOST_TEXTS` cells."""
    texts = [terms_of(text or "") for text in words(cells[:_MOST_TEXTS])]
    return term_matrix(texts, {term: place for place, term in enumerate(encoder.terms)}, np.array(encoder.weights))


def _slopes(matrix: Any, centred: np.ndarray) -> np.ndarray:
    """Return the weights of a linear model, (terms, outputs), that predicts `centred` from `matrix` (texts, terms).

    Ridge regression without an intercept; of many classes the logarithm of how much more frequent a term is in a class than in all
    (naive Bayes as in Wang and Manning 2012, "Baselines and Bigrams", ACL), which takes one product instead of a system of equations.
    """
    if centred.shape[1] > _FEW:
        counts = matrix.T @ (centred > 0) + _SMOOTHING
        in_all = counts.sum(axis=1, keepdims=True) / counts.sum()
        return np.asarray(np.log(counts / counts.sum(axis=0)) - np.log(in_all))
    from sklearn.linear_model import Ridge

    model = Ridge(_PENALTY, fit_intercept=False, solver="sparse_cg", tol=1e-3)
    return np.asarray(model.fit(matrix, centred).coef_).reshape(centred.shape[1], -1).T


def _is_informative(found: np.ndarray, centred: np.ndarray) -> bool:
    """Whether cross-fitted scores (rows, outputs) predict better than the mean of the target does.

    Those of ridge regression: by their squared error. Those of naive Bayes are no estimates of the target: each row's own class must
    score clearly above the mean.
    """
    if centred.shape[1] <= _FEW:
        return bool(np.square(centred - found).sum() < np.square(centred).sum())
    own = (found - found.mean(axis=0))[centred > 0]  # scores of each row's own class
    return bool(own.mean() > _BY_CHANCE * found.std() / math.sqrt(len(own)))


def _directions(found: np.ndarray) -> np.ndarray:
    """Return a matrix (outputs, scores) by which scores (rows, outputs) are multiplied, so that each column has unit variance.

    It only scales them; of more than `_MOST_SCORES` it also keeps their principal components, those of most variance first.
    """
    turned = np.eye(found.shape[1])
    if found.shape[1] > _MOST_SCORES:
        turned = np.linalg.eigh(np.cov(found.T))[1][:, : -_MOST_SCORES - 1 : -1]
    scales = (found @ turned).std(axis=0)
    return np.asarray(turned / np.where(scales > 0, scales, 1.0))


def _with(encoder: Text, components: np.ndarray) -> Text:
    """The encoder with these components (terms, features) instead of its own."""
    return replace(encoder, components=tuple(map(tuple, components.tolist())))
