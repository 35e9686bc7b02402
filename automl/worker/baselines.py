"""What a model must beat to be worth its trouble: most frequent class or mean, a linear model, boosted trees; by scikit-learn."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from automl.data import Arrays, Schema

BOOSTING_SECONDS = 10.0


def fit_baselines(schema: Schema, known: list[Arrays], unknown: np.ndarray) -> dict[str, np.ndarray]:
    """Fit on all rows of `known`; return each baseline's predictions for the encoded rows `unknown`, (rows, *shape).

    Predictions are probabilities (rows, classes), or numbers (rows,) in the target's own units. Names: `majority` for classes
    or `mean` for numbers, `linear` (logistic or ridge regression on the encoded, flattened inputs), and `boosted_trees`
    (histogram gradient boosting with scikit-learn's settings, as many of its 100 rounds as fit into `BOOSTING_SECONDS`).
    """
    from threadpoolctl import threadpool_limits

    inputs = np.concatenate([_flat(part.inputs) for part in known])
    target = np.concatenate([part.target for part in known])
    # One thread: between BLAS threads on a busy machine the linear fit of `digits` took 1 to 9 s instead of 0.03 s.
    with threadpool_limits(1):
        if schema.kind == "classification":
            return _fit_classes(inputs, target, _flat(unknown), len(schema.labels))
        return {name: schema.decode(values) for name, values in _fit_numbers(inputs, target, _flat(unknown)).items()}


def _fit_classes(inputs: np.ndarray, target: np.ndarray, unknown: np.ndarray, classes: int) -> dict[str, np.ndarray]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    shares = np.bincount(target, minlength=classes) / len(target)
    linear = LogisticRegression(max_iter=1000).fit(inputs, target)
    probabilities = np.zeros((len(unknown), classes))
    probabilities[:, linear.classes_] = linear.predict_proba(unknown)  # a class without known rows stays at 0
    boosted = np.zeros((len(unknown), classes))
    trees = _boost(HistGradientBoostingClassifier, inputs, target)
    boosted[:, trees.classes_] = trees.predict_proba(unknown)
    return {
        "majority": np.tile(shares, (len(unknown), 1)),
        "linear": probabilities,
        "boosted_trees": boosted,
    }


def _fit_numbers(inputs: np.ndarray, target: np.ndarray, unknown: np.ndarray) -> dict[str, np.ndarray]:
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import Ridge

    linear = Ridge(alpha=1.0).fit(inputs, target)
    boosted = _boost(HistGradientBoostingRegressor, inputs, target)
    return {
        "mean": np.full(len(unknown), target.mean()),
        "linear": linear.predict(unknown),
        "boosted_trees": boosted.predict(unknown),
    }


def _boost(model: Any, inputs: np.ndarray, target: np.ndarray) -> Any:
    """Return boosted trees after 100 rounds, or as many as fit at the pace of the first 10."""
    trees = model(max_iter=10, warm_start=True, early_stopping=False, random_state=0)
    began = time.monotonic()
    trees.fit(inputs, target)
    rounds = int(10 * BOOSTING_SECONDS / (time.monotonic() - began))
    return trees.set_params(max_iter=max(10, min(100, rounds))).fit(inputs, target)


def _flat(inputs: np.ndarray) -> np.ndarray:
    return np.asarray(inputs).reshape(len(inputs), -1)
