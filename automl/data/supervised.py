"""Features that encoders learn from the target, and how they are cross-fitted, so that no training row's feature knows its own target.

`rating` (of a category) and `telling` (of a text) make the features; this file chooses who gets them, and from which rows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from automl.data.rating import cross_rates, rated
from automl.data.schema import Schema
from automl.data.telling import cross_scores, scored
from automl.encoding import Category, Encoder, Text
from automl.tasks import Rows

_MOST_RATES = 10
"""Classes up to which a category gets rates, one number for each: more would be more than a column is worth."""
_MOST_CLASSES, _MOST_NUMBERS = 100, 1 << 24
"""Classes up to which a text gets scores; and classes times rows, which are held in memory."""
_FOLDS = 5
_FARTHEST = 5.0
"""Standard deviations at which a numeric target is cut off, so that no single row decides."""


def supervision(schema: Schema, rows: Rows, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `centred_target` and `cross_folds` of the training rows at these places, which are in order of content."""
    group = None if rows.group is None else rows.group[places]
    return centred_target(schema.encode_target(rows.target[places]), len(schema.labels)), cross_folds(
        len(places), group
    )


def supervised(encoder: Encoder, cells: np.ndarray, centred: np.ndarray, folds: np.ndarray) -> Encoder:
    """Return the encoder with features that predict the target; unchanged where it has none that do.

    `centred` (rows, outputs) and `folds` (rows,), see `supervision`, are of the training rows `cells`.
    """
    if not centred.shape[1]:
        return encoder
    match encoder:
        case Category() if centred.shape[1] <= _MOST_RATES:
            return rated(encoder, cells, centred, folds)
        case Text():
            return scored(encoder, cells, centred, folds)
    return encoder


def from_other_rows(
    encoder: Encoder, cells: np.ndarray, centred: np.ndarray, folds: np.ndarray
) -> tuple[int, np.ndarray] | None:
    """Return the cross-fitted features that training rows are trained with: the place of the first among the encoder's, and (rows, n).

    Arguments are those of `supervised`. None for an encoder without features that were learned from the target.
    """
    match encoder:
        case Category() if encoder.rated:
            return 1, cross_rates(cells, centred, folds)
        case Text() if encoder.scores:
            return 0, cross_scores(encoder, cells, centred, folds)
    return None


def blind_to_fold(
    encoder: Encoder, cells: np.ndarray, centred: np.ndarray, folds: np.ndarray, fold: int
) -> tuple[int, np.ndarray] | None:
    """Return as `from_other_rows` the features for a run of cross-validation that validates on `fold`, blind to that fold's targets.

    Features of its rows are learned from all other rows; those of any other row from the rows of neither its own fold nor that one.
    """
    blank: Encoder
    match encoder:
        case Category() if encoder.rated:
            first, outputs, blank = 1, len(encoder.rates[0]), replace(encoder, rated=(), rates=())
        case Text() if encoder.scores:
            terms = tuple(row[encoder.scores :] for row in encoder.components)
            first, outputs, blank = 0, encoder.scores, replace(encoder, components=terms, scores=0)
        case _:
            return None
    outside, found = folds != fold, np.zeros((len(cells), outputs))
    learned = supervised(blank, cells[outside], centred[outside], folds[outside])
    blind = from_other_rows(learned, cells[outside], centred[outside], folds[outside])
    if blind is not None:  # else the target says nothing there, and all features stay 0
        found[outside] = blind[1]
        found[~outside] = learned.encode(cells[~outside])[:, first : first + outputs]
    return first, found


def centred_target(target: np.ndarray, classes: int) -> np.ndarray:
    """Encoded target (rows,) -> float64 (rows, outputs) less its mean: a number, or of classes one 0 or 1 for each.

    Of two classes the second alone is an output; of very many none is.
    """
    if classes > (_MOST_CLASSES if classes * len(target) <= _MOST_NUMBERS else _MOST_RATES):
        return np.zeros((len(target), 0))
    if classes:
        target = np.eye(classes)[target][:, 1 if classes == 2 else 0 :]
    else:
        target = np.clip(target.astype(np.float64)[:, None], -_FARTHEST, _FARTHEST)
    return np.asarray(target - target.mean(axis=0))


def cross_folds(rows: int, group: np.ndarray | None) -> np.ndarray:
    """(rows,) the cross-fitting fold of each row: every fifth row, or every fifth group; a row without a group is one of its own."""
    if group is None:
        return np.arange(rows) % _FOLDS
    named = np.unique(group, return_inverse=True)[1]
    return np.where(group == "", np.arange(rows), named) % _FOLDS
