"""Scores of predictions, and whether two sides differ by more than chance on the same rows. Knows no side and no table."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import pandas as pd

Points = list[np.ndarray]
"""What each row contributes, the greater the better: one array, or for the ROC area one of positives, one of negatives."""


def score(metric: str, truth: pd.Series, predictions: pd.DataFrame) -> float:
    """Return the metric as people know it: the root for `rmse`, positive for `log_loss`."""
    mean = float(POINTS[metric](truth, predictions)[0].mean())
    return {"rmse": sqrt(abs(mean)), "log_loss": -mean}.get(metric, mean)


def lead(metric: str, truth: pd.Series, ours: pd.DataFrame, theirs: pd.DataFrame) -> float:
    """Return how far ours is ahead (behind, if negative) in paired standard errors; 0.0 for equal predictions.

    Of squared errors for `rmse`; for the ROC area after DeLong et al. (1988).
    """
    pairs = zip(POINTS[metric](truth, ours), POINTS[metric](truth, theirs), strict=True)
    gaps = [mine - other for mine, other in pairs]
    error = sqrt(sum(gap.var(ddof=1) / len(gap) for gap in gaps))
    return float(gaps[0].mean() / error) if error else 0.0


def roc_auc(truth: pd.Series, predictions: pd.DataFrame) -> Points:
    """Of each positive, the share of negatives below it; of each negative, the share of positives above it."""
    positive = max(truth.astype(str))
    chances, is_positive = predictions[f"p_{positive}"].to_numpy(), (truth.astype(str) == positive).to_numpy()
    above, below = chances[is_positive], chances[~is_positive]
    return [_share_below(above, below), 1 - _share_below(below, above)]


def accuracy(truth: pd.Series, predictions: pd.DataFrame) -> Points:
    """1 where the class is right."""
    return [(truth.astype(str).to_numpy() == predictions["prediction"].astype(str).to_numpy()).astype(float)]


def log_loss(truth: pd.Series, predictions: pd.DataFrame) -> Points:
    """The logarithm of the true class's chance, which is held to at least a millionth."""
    columns = predictions.columns.get_indexer("p_" + truth.astype(str))
    if (columns < 0).any():
        raise SystemExit(f"Columns {list(predictions.columns)} lack one p_<class> per class of {sorted(set(truth))}.")
    chances = predictions.to_numpy()[np.arange(len(truth)), columns].astype(float)
    return [np.log(chances.clip(1e-6, 1))]


def rmse(truth: pd.Series, predictions: pd.DataFrame) -> Points:
    """Squared errors, negated."""
    return [-((truth.to_numpy() - predictions["prediction"].to_numpy()) ** 2)]


def _share_below(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of each value, the share of others below it; equal ones count half."""
    ordered = np.sort(others)
    return (ordered.searchsorted(values, "left") + ordered.searchsorted(values, "right")) / (2 * len(ordered))


POINTS: dict[str, Callable[[pd.Series, pd.DataFrame], Points]] = {
    each.__name__: each for each in (roc_auc, accuracy, log_loss, rmse)
}
