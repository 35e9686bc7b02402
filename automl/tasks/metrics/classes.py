"""Metrics of classes: target (rows,) int64 class indices, prediction (rows, classes) finite probabilities."""

from __future__ import annotations

import numpy as np

from automl.errors import DataError


def accuracy(target: np.ndarray, prediction: np.ndarray) -> float:
    """Share of rows whose most probable class is the true one."""
    return float(np.count_nonzero(prediction.argmax(axis=1) == target) / len(target))


def balanced_accuracy(target: np.ndarray, prediction: np.ndarray) -> float:
    """Mean recall over the classes that occur in `target`."""
    rows = np.bincount(target)
    hits = np.bincount(target[prediction.argmax(axis=1) == target], minlength=len(rows))
    return float((hits[rows > 0] / rows[rows > 0]).mean())


def f1(target: np.ndarray, prediction: np.ndarray) -> float:
    """F1 of class 1, the second of two labels; 0 where it neither occurs nor is predicted."""
    _need_two_classes("f1", prediction)
    predicted = prediction.argmax(axis=1)
    claims = int(target.sum() + predicted.sum())
    return 2 * int(np.count_nonzero(target & predicted)) / claims if claims else 0.0


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
    """Area under the ROC curve of class 1; of more than two classes the mean over one-versus-rest areas.

    Classes without rows are left out of the mean; scikit-learn's `multi_class="ovr"` refuses them.
    """
    occurring = np.unique(target)
    if len(occurring) < 2:
        raise DataError(
            f"roc_auc needs rows of two classes or more, but all {len(target)} rows are of one. Choose accuracy or log_loss."
        )
    if prediction.shape[1] == 2:
        return _area(target == 1, prediction[:, 1])
    return float(np.mean([_area(target == label, prediction[:, label]) for label in occurring]))


def average_precision(target: np.ndarray, prediction: np.ndarray) -> float:
    """Precision at each distinct probability of class 1, weighted by the recall it adds; not interpolated."""
    _need_two_classes("average_precision", prediction)
    positive = int(np.count_nonzero(target == 1))
    if positive == 0:
        raise DataError(f"average_precision needs rows of class 1, but none of {len(target)} is. Choose log_loss.")
    order = np.argsort(-prediction[:, 1], kind="stable")
    score, hits = prediction[order, 1], np.cumsum(target[order] == 1)
    last = np.flatnonzero(np.append(score[1:] != score[:-1], True))  # of each run of equal probabilities
    return float((np.diff(hits[last], prepend=0) * hits[last] / (last + 1)).sum() / positive)


def _area(positive: np.ndarray, score: np.ndarray) -> float:
    """Probability that a positive row is ranked above another one, ties counted half (Mann-Whitney U)."""
    count = int(np.count_nonzero(positive))
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(positive) - count)))


def _need_two_classes(name: str, prediction: np.ndarray) -> None:
    if prediction.shape[1] != 2:
        raise DataError(f"{name} needs two classes, but got {prediction.shape[1]}. Choose f1_macro or log_loss.")
