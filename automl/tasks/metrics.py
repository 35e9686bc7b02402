"""Metrics by name, in numpy, under scikit-learn's names and with its values. Knows nothing of models, parts or intervals.

Written for the epoch loop: `accuracy` and `rmse` take microseconds where scikit-learn's validation takes hundreds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from automl.errors import ConfigError, DataError, did_you_mean


@dataclass(frozen=True, slots=True)
class Metric:
    """How good predictions are, as one number."""

    name: str
    direction: Literal["maximize", "minimize"]
    kind: Literal["classification", "regression"]
    function: Callable[[np.ndarray, np.ndarray], float]
    """`function(target, prediction)`, see `measure` for shapes."""


def measure(name: str, target: np.ndarray, prediction: np.ndarray) -> float:
    """Return the metric `name`; NaN if a prediction is NaN or infinite, so that a diverged model never looks good.

    For classes `target` is (rows,) int64 class indices and `prediction` (rows, classes) probabilities; for regression both
    are (rows,) numbers in the target's own units. Raises ConfigError for an unknown name.
    """
    metric = METRICS.get(name)
    if metric is None:
        raise ConfigError(f"Unknown metric '{name}'. Metrics: {', '.join(METRICS)}.{did_you_mean(name, METRICS)}")
    if not np.isfinite(prediction).all():
        return float("nan")
    return float(metric.function(target, prediction))


def accuracy(target: np.ndarray, prediction: np.ndarray) -> float:
    """Share of rows whose most probable class is the true one."""
    return float(np.count_nonzero(prediction.argmax(axis=1) == target) / len(target))


def balanced_accuracy(target: np.ndarray, prediction: np.ndarray) -> float:
    """Mean recall over the classes that occur in `target`."""
    rows = np.bincount(target)
    hits = np.bincount(target[prediction.argmax(axis=1) == target], minlength=len(rows))
    return float((hits[rows > 0] / rows[rows > 0]).mean())


def f1_macro(target: np.ndarray, prediction: np.ndarray) -> float:
    """Mean F1 over the classes that occur in the target or among the predicted classes."""
    predicted = prediction.argmax(axis=1)
    classes = prediction.shape[1]
    hits = np.bincount(target[predicted == target], minlength=classes)
    claims = np.bincount(target, minlength=classes) + np.bincount(predicted, minlength=classes)
    return float((2 * hits[claims > 0] / claims[claims > 0]).mean())


def log_loss(target: np.ndarray, prediction: np.ndarray) -> float:
    """Mean negative log probability of the true class; probabilities are clipped to their type's epsilon."""
    epsilon = np.finfo(prediction.dtype).eps
    chosen = prediction[np.arange(len(target)), target]
    return float(-np.log(np.clip(chosen, epsilon, 1 - epsilon)).mean())


def roc_auc(target: np.ndarray, prediction: np.ndarray) -> float:
    """Probability that a row of class 1 is ranked above a row of class 0, ties counted half (Mann-Whitney U)."""
    positive = int(np.count_nonzero(target == 1))
    negative = len(target) - positive
    if prediction.shape[1] != 2 or positive == 0 or negative == 0:
        raise DataError(
            f"roc_auc needs two classes with rows of both, but got {prediction.shape[1]} classes, {positive} rows of class 1 "
            f"and {negative} others. Choose accuracy or log_loss."
        )
    _, place, counts = np.unique(prediction[:, 1], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[target == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))


def rmse(target: np.ndarray, prediction: np.ndarray) -> float:
    """Root of the mean squared error, in the target's units."""
    error = np.subtract(target, prediction, dtype=np.float64)
    return float(np.sqrt(error.dot(error) / len(error)))


def mae(target: np.ndarray, prediction: np.ndarray) -> float:
    """Mean absolute error, in the target's units."""
    return float(np.abs(np.subtract(target, prediction, dtype=np.float64)).mean())


def r2(target: np.ndarray, prediction: np.ndarray) -> float:
    """Share of the target's variance that is explained; for a constant target 1 when exact, else 0."""
    residual = float(np.square(np.subtract(target, prediction, dtype=np.float64)).sum())
    total = float(np.square(np.subtract(target, target.mean(dtype=np.float64))).sum())
    if total == 0:
        return 1.0 if residual == 0 else 0.0
    return 1.0 - residual / total


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "maximize", "classification", accuracy),
        Metric("balanced_accuracy", "maximize", "classification", balanced_accuracy),
        Metric("f1_macro", "maximize", "classification", f1_macro),
        Metric("log_loss", "minimize", "classification", log_loss),
        Metric("roc_auc", "maximize", "classification", roc_auc),
        Metric("rmse", "minimize", "regression", rmse),
        Metric("mae", "minimize", "regression", mae),
        Metric("r2", "maximize", "regression", r2),
    )
}
