"""What a text among other columns tells of the target: linear scores of its terms, beside numbers that were made without the target.

For the training rows it comes from other rows than their own, as the rates of `rating` do and for their reason (Wolpert 1992,
"Stacked generalization", Neural Networks 5(2)).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from automl.data.fitting import term_matrix
from automl.encoding import Text, terms_of, words

_MOST_TEXTS = 20_000
"""Texts that slopes are learned from: of 3,000 terms more would change little."""
_MOST_SCORES = 24
"""Of more classes: numbers in which a text says what it says of them."""
_PENALTY = 3.0


def scored(encoder: Text, cells: np.ndarray, deviating: np.ndarray, parts: np.ndarray) -> Text:
    """Return the encoder with scores before its other numbers, one per output or of many a few; as it is where they tell nothing.

    `deviating` (rows, outputs) and `parts` (rows,) are of the training rows `cells`, as `supervised` makes them.
    """
    if len(encoder.terms) < 2:
        return encoder
    found = _from_others(encoder, cells, deviating, parts)
    if np.square(deviating - found).sum() >= np.square(deviating).sum():
        return encoder
    slopes = _slopes(_matrix(encoder, cells), deviating[:_MOST_TEXTS]) @ _directions(found)
    return replace(_with(encoder, np.hstack([slopes.round(5), encoder.components])), scores=slopes.shape[1])


def cross_scores(encoder: Text, cells: np.ndarray, deviating: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """(rows, outputs) the scores of these training rows, each learned from the rows of other parts, of unit variance."""
    found = _from_others(encoder, cells, deviating, parts)
    return np.asarray(found @ _directions(found))


def _from_others(encoder: Text, cells: np.ndarray, deviating: np.ndarray, parts: np.ndarray) -> np.ndarray:
    found, matrix = np.zeros_like(deviating), _matrix(encoder, cells)
    for part in np.unique(parts):
        mine = parts == part
        others = np.flatnonzero(~mine[:_MOST_TEXTS])
        if len(others):
            slopes = _slopes(matrix[others], deviating[others])
            found[mine] = _with(encoder, slopes).encode(cells[mine])[:, :-1]  # the last is the length
    return found


def _matrix(encoder: Text, cells: np.ndarray) -> Any:
    texts = [terms_of(text or "") for text in words(cells[:_MOST_TEXTS])]
    return term_matrix(texts, {term: place for place, term in enumerate(encoder.terms)}, np.array(encoder.weights))


def _slopes(matrix: Any, deviating: np.ndarray) -> np.ndarray:
    """(terms, outputs) of ridge regression through the origin."""
    from sklearn.linear_model import Ridge

    model = Ridge(_PENALTY, fit_intercept=False, solver="sparse_cg", tol=1e-3)
    return np.asarray(model.fit(matrix, deviating).coef_).reshape(deviating.shape[1], -1).T


def _directions(found: np.ndarray) -> np.ndarray:
    """(outputs, scores) what scores (rows, outputs) are told in: each by itself, of many those in which they vary most; of unit variance.

    As reduced-rank regression has it (Izenman 1975, Journal of Multivariate Analysis 5(2)).
    """
    turned = np.eye(found.shape[1])
    if found.shape[1] > _MOST_SCORES:
        turned = np.linalg.eigh(found.T @ found)[1][:, : -_MOST_SCORES - 1 : -1]
    scales = (found @ turned).std(axis=0)
    return np.asarray(turned / np.where(scales > 0, scales, 1.0))


def _with(encoder: Text, components: np.ndarray) -> Text:
    return replace(encoder, components=tuple(map(tuple, components.tolist())))
