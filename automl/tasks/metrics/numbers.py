"""Metrics of numbers: target and prediction (rows,), finite, in the target's own units."""

from __future__ import annotations

import numpy as np

from automl.errors import DataError


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


def rmsle(target: np.ndarray, prediction: np.ndarray) -> float:
    """Root of the mean squared difference of log(1 + x); needs targets above -1.

    What is predicted below 0 counts as 0, or as the least target where that is lower.
    """
    least = float(target.min())
    if least <= -1:
        raise DataError(f"rmsle needs targets above -1, but got {least:g}. Choose rmse or mae.")
    prediction = np.maximum(prediction, min(0.0, least))
    return rmse(np.log1p(target, dtype=np.float64), np.log1p(prediction, dtype=np.float64))


def mape(target: np.ndarray, prediction: np.ndarray) -> float:
    """Mean absolute error as a share of the target, 0.1 for 10 %; a target of 0 counts as float64's epsilon."""
    error = np.abs(np.subtract(target, prediction, dtype=np.float64))
    return float((error / np.maximum(np.abs(target), np.finfo(np.float64).eps)).mean())


def pinball(target: np.ndarray, prediction: np.ndarray) -> float:
    """Mean pinball loss of the median (alpha 0.5): half the mean absolute error."""
    return mae(target, prediction) / 2
