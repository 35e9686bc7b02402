"""What a model must beat to be worth its trouble: most frequent class or mean, a linear model, boosted trees; by scikit-learn."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from automl.data import Arrays, Schema
from automl.tasks.metrics import TUNED, best_threshold

BOOSTING_SECONDS = 10.0
_MOST_CODES = 255
"""Levels that scikit-learn's trees tell apart in one column."""
_MOST_ROUNDS = 200
"""Of the linear model's solver; on standardised columns it needs a few tens."""
_MOST_NUMBERS = 2048
"""Of a picture or series: beyond, trees over each number would take longer than the search, and see no more."""


def fit_baselines(schema: Schema, known: list[Arrays], unknown: np.ndarray) -> dict[str, np.ndarray]:
    """Fit on all rows of `known`; return each baseline's predictions for the encoded rows `unknown`, (rows, *shape).

    Predictions are probabilities (rows, classes), or numbers (rows,) in the target's own units. Names: `majority` for classes
    or `mean` for numbers, `linear` (logistic or ridge regression, on a column per level of a category and on weighted word counts
    of a text), and, but for texts, `boosted_trees` (histogram gradient boosting with scikit-learn's settings, as many of its 100
    rounds as fit into `BOOSTING_SECONDS`). Large pictures are averaged down for both.
    """
    from threadpoolctl import threadpool_limits

    inputs = np.concatenate([_flat(part.inputs) for part in known])
    target = np.concatenate([part.target for part in known])
    # One thread: between BLAS threads on a busy machine the linear fit of `digits` took 1 to 9 s instead of 0.03 s.
    with threadpool_limits(1):
        fitted = _Fitted(schema, inputs, target, _flat(unknown))
        found = {"majority" if schema.labels else "mean": fitted.constant(), "linear": fitted.linear()}
        return found if schema.input_kind == "text" else {**found, "boosted_trees": fitted.boosted_trees()}


def baseline_thresholds(schema: Schema, metric: str, train: Arrays, validation: Arrays) -> dict[str, float]:
    """Return each baseline's threshold, chosen as a model's is: on validation rows, when it was fitted on the training rows alone.

    `majority` has none, and keeps what its name says. Nothing is fitted for a metric that no threshold serves.
    """
    if metric not in TUNED or len(schema.labels) != 2:
        return {}
    found = fit_baselines(schema, [train], validation.inputs)
    return {name: best_threshold(metric, validation.target, rows) for name, rows in found.items() if name != "majority"}


class _Fitted:
    """Fits on some rows, predicts others."""

    def __init__(self, schema: Schema, inputs: np.ndarray, target: np.ndarray, unknown: np.ndarray) -> None:
        """`inputs` (rows, features) and `unknown` (more rows, features) are encoded and flat."""
        self._schema, self._inputs, self._target, self._unknown = schema, inputs, target, unknown

    def constant(self) -> np.ndarray:
        """The classes' shares, or the mean, for every row."""
        if not self._schema.labels:
            return self._schema.decode(np.full(len(self._unknown), self._target.mean()))
        shares = np.bincount(self._target, minlength=len(self._schema.labels)) / len(self._target)
        return np.tile(shares, (len(self._unknown), 1))

    def linear(self) -> np.ndarray:
        """Logistic or ridge regression."""
        from sklearn.linear_model import LogisticRegression, Ridge

        known, unknown = _linear_columns(self._schema, self._inputs, self._unknown)
        model = LogisticRegression(max_iter=_MOST_ROUNDS) if self._schema.labels else Ridge(alpha=1.0)
        return self._predicted(_quietly(model, known, self._target), unknown)

    def boosted_trees(self) -> np.ndarray:
        """Histogram gradient boosting; a category of few enough levels is split by level."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        codes = self._schema.cardinalities or (0,) * self._inputs.shape[1]
        model = HistGradientBoostingClassifier if self._schema.labels else HistGradientBoostingRegressor
        trees = boost(model, self._inputs, self._target, [0 < n <= _MOST_CODES for n in codes])
        return self._predicted(trees, self._unknown)

    def _predicted(self, model: Any, unknown: Any) -> np.ndarray:
        """A class without known rows stays at 0."""
        if not self._schema.labels:
            return self._schema.decode(model.predict(unknown))
        found = np.zeros((len(self._unknown), len(self._schema.labels)))
        found[:, model.classes_] = model.predict_proba(unknown)
        return found


def boost(model: Any, inputs: np.ndarray, target: np.ndarray, is_category: list[bool]) -> Any:
    """Return boosted trees after 100 rounds, or as many as fit at the pace of the first 10."""
    chosen: Any = is_category if any(is_category) else None
    trees = model(max_iter=10, warm_start=True, early_stopping=False, random_state=0, categorical_features=chosen)
    began = time.monotonic()
    trees.fit(inputs, target)
    rounds = int(10 * BOOSTING_SECONDS / (time.monotonic() - began))
    return trees.set_params(max_iter=max(10, min(100, rounds))).fit(inputs, target)


def _linear_columns(schema: Schema, known: np.ndarray, unknown: np.ndarray) -> tuple[Any, Any]:
    """Numbers as they are, a column per level of a category; of a text weighted counts of its words."""
    if schema.vocabulary is not None:
        return _word_counts(schema.vocabulary, known, unknown)
    codes = np.flatnonzero(schema.cardinalities)
    if not len(codes):
        return known, unknown
    from scipy.sparse import csr_matrix, hstack
    from sklearn.preprocessing import OneHotEncoder

    levels = [np.arange(schema.cardinalities[place]) for place in codes]
    encoder = OneHotEncoder(categories=levels, dtype=np.float32)
    encoder.fit(known[:1, codes])
    numbers = np.setdiff1d(np.arange(known.shape[1]), codes)
    first, second = (
        hstack([csr_matrix(rows[:, numbers]), encoder.transform(rows[:, codes])]).tocsr() for rows in (known, unknown)
    )
    return first, second


def _word_counts(vocabulary: int, known: np.ndarray, unknown: np.ndarray) -> tuple[Any, Any]:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfTransformer

    def counted(rows: np.ndarray) -> Any:
        places = np.repeat(np.arange(len(rows)), rows.shape[1])
        codes = rows.astype(np.int64).ravel()
        real = codes > 0
        return csr_matrix((np.ones(real.sum()), (places[real], codes[real])), shape=(len(rows), vocabulary))

    weights = TfidfTransformer(sublinear_tf=True).fit(counted(known))
    return weights.transform(counted(known)), weights.transform(counted(unknown))


def _quietly(model: Any, inputs: Any, target: np.ndarray) -> Any:
    """A linear model that has not converged is a baseline all the same."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(inputs, target)


def _flat(inputs: np.ndarray) -> np.ndarray:
    """(rows, *shape) -> (rows, features); pictures and series are halved until their numbers are few enough."""
    inputs = np.asarray(inputs)
    while inputs.ndim == 4 and inputs[0].size > _MOST_NUMBERS and min(inputs.shape[2:]) > 1:
        rows, channels, height, width = inputs.shape
        even = inputs[:, :, : height // 2 * 2, : width // 2 * 2]
        inputs = even.reshape(rows, channels, height // 2, 2, width // 2, 2).mean(axis=(3, 5))
    while inputs.ndim == 3 and inputs[0].size > _MOST_NUMBERS and inputs.shape[2] > 1:
        inputs = inputs[:, :, : inputs.shape[2] // 2 * 2].reshape(*inputs.shape[:2], -1, 2).mean(axis=3)
    return inputs.reshape(len(inputs), -1)
