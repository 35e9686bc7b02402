"""Metrics by name, in numpy, under scikit-learn's names and with its values. Knows nothing of models, parts or intervals.

Written for the epoch loop: `accuracy` and `rmse` take microseconds where scikit-learn's validation takes hundreds.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np

from automl.errors import ConfigError, DataError, did_you_mean

from .classes import accuracy, average_precision, balanced_accuracy, f1, f1_macro, log_loss, roc_auc
from .numbers import mae, mape, pinball, r2, rmse, rmsle
from .threshold import EVEN, TUNED, best_threshold, decide, weighed

__all__ = ["EVEN", "METRICS", "TUNED", "Metric", "best_threshold", "decide", "judged", "measure", "measure_all"]


@dataclass(frozen=True, slots=True)
class Metric:
    """How good predictions are, as one number."""

    name: str
    direction: Literal["maximize", "minimize"]
    kind: Literal["classification", "regression"]
    function: Callable[[np.ndarray, np.ndarray], float]
    """`function(target, prediction)`, see `measure` for shapes."""
    of_decisions: bool = False
    """Whether it looks only at which class is the largest in a row."""
    of_medians: bool = False
    """Whether a median serves it better than a mean: errors that count as they are."""


def measure(name: str, target: np.ndarray, prediction: np.ndarray, threshold: float = EVEN) -> float:
    """Return the metric `name`; NaN if a prediction is NaN or infinite, so that a diverged model never looks good.

    For classes `target` is (rows,) int64 class indices and `prediction` (rows, classes) probabilities; for regression both
    are (rows,) numbers in the target's own units. Of forecasts both are (rows, horizon), and each step that is known counts alike:
    a target of NaN is left out. A metric of decisions between two classes decides for the second where its
    probability is above `threshold`. Raises ConfigError for an unknown name, and DataError where these rows
    do not admit the metric.
    """
    metric = METRICS.get(name)
    if metric is None:
        raise ConfigError(f"Unknown metric '{name}'. Metrics: {', '.join(METRICS)}.{did_you_mean(name, METRICS)}")
    if not np.isfinite(prediction).all():
        return float("nan")
    if target.ndim == 2:
        known = ~np.isnan(target)
        target, prediction = target[known], prediction[known]
    return float(metric.function(target, judged(name, prediction, threshold)))


def measure_all(kind: str, target: np.ndarray, prediction: np.ndarray, threshold: float = EVEN) -> dict[str, float]:
    """Return every metric of a kind by name, see `measure`; one that these rows do not admit, or that is no finite number, is left out."""
    found = {}
    for name, metric in METRICS.items():
        if metric.kind == kind:
            with (
                suppress(DataError),
                np.errstate(over="ignore", invalid="ignore"),
            ):  # f1 needs two classes, rmsle numbers above -1
                found[name] = measure(name, target, prediction, threshold)
    return {name: value for name, value in found.items() if np.isfinite(value)}


def judged(name: str, prediction: np.ndarray, threshold: float) -> np.ndarray:
    """Return what the metric `name` sees of probabilities that are decided by `threshold`: `measure` takes it at 0.5."""
    return weighed(prediction, threshold) if METRICS[name].of_decisions else prediction


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "maximize", "classification", accuracy, of_decisions=True),
        Metric("balanced_accuracy", "maximize", "classification", balanced_accuracy, of_decisions=True),
        Metric("f1", "maximize", "classification", f1, of_decisions=True),
        Metric("f1_macro", "maximize", "classification", f1_macro, of_decisions=True),
        Metric("log_loss", "minimize", "classification", log_loss),
        Metric("roc_auc", "maximize", "classification", roc_auc),
        Metric("average_precision", "maximize", "classification", average_precision),
        Metric("rmse", "minimize", "regression", rmse),
        Metric("mae", "minimize", "regression", mae, of_medians=True),
        Metric("r2", "maximize", "regression", r2),
        Metric("rmsle", "minimize", "regression", rmsle),
        Metric("mape", "minimize", "regression", mape, of_medians=True),
        Metric("pinball", "minimize", "regression", pinball, of_medians=True),
    )
}
