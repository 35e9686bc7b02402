"""What encoders learn from the target, and how training rows are kept from learning it of themselves: from other rows than their own.

`rating` and `telling` say what is learned, of a category and of a text; here it stands who learns, and from which rows.
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
"""Classes: of a category a number for each of more would be more than a column is worth."""
_MOST_CLASSES, _MOST_NUMBERS = 100, 1 << 24
"""Of which a text tells; and these times rows."""
_PARTS = 5
_FARTHEST = 5.0
"""Standard deviations that one row's target may count."""


def supervision(schema: Schema, rows: Rows, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of training rows at these places, in order of content: what their targets say, and in which folds they learn from each other."""
    group = None if rows.group is None else rows.group[places]
    return centred_target(schema.encode_target(rows.target[places]), len(schema.labels)), cross_folds(
        len(places), group
    )


def supervised(encoder: Encoder, cells: np.ndarray, centred: np.ndarray, folds: np.ndarray) -> Encoder:
    """Return the encoder with what the target tells of it; as it is where that is nothing.

    `centred` (rows, outputs) and `folds` (rows,) are of the training rows `cells`.
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
    """Of these training rows, the features that know the target: the place of the first, and (rows, outputs) from other rows."""
    match encoder:
        case Category() if encoder.rated:
            return 1, cross_rates(cells, centred, folds)
        case Text() if encoder.scores:
            return 0, cross_scores(encoder, cells, centred, folds)
    return None


def blind_to_fold(
    encoder: Encoder, cells: np.ndarray, centred: np.ndarray, folds: np.ndarray, fold: int
) -> tuple[int, np.ndarray] | None:
    """As `from_other_rows`, of the rows of all folds, with nothing learned from the targets of one: it is what is validated on.

    The rows of that fold are described by all others; any other row by those that are neither of its own fold nor of that one.
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
    """Encoded target (rows,) -> (rows, outputs) how far it is from its mean: of two classes the second alone, of very many none."""
    if classes > (_MOST_CLASSES if classes * len(target) <= _MOST_NUMBERS else _MOST_RATES):
        return np.zeros((len(target), 0))
    if classes:
        target = np.eye(classes)[target][:, 1 if classes == 2 else 0 :]
    else:
        target = np.clip(target.astype(np.float64)[:, None], -_FARTHEST, _FARTHEST)
    return np.asarray(target - target.mean(axis=0))


def cross_folds(rows: int, group: np.ndarray | None) -> np.ndarray:
    """(rows,) which rows learn from all others: every fifth row, or every fifth group; a row without a group is one of its own."""
    if group is None:
        return np.arange(rows) % _PARTS
    named = np.unique(group, return_inverse=True)[1]
    return np.where(group == "", np.arange(rows), named) % _PARTS
