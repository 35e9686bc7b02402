"""Temperature scaling and expected calibration error, in numpy (Guo et al. 2017, arXiv:1706.04599). Knows probabilities alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from automl.bundle.description import COLDEST, HOTTEST

BINS = 15
FOLDS = 5
_ROWS_PER_FOLD = 4
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of like confidence."""

    confidence: float
    """Mean probability of the predicted class."""
    accuracy: float
    rows: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far probabilities can be taken at their word, on rows that had no say in the temperature."""

    temperature: float
    ece_before: float
    ece_after: float
    bins: tuple[Bin, ...]
    """After scaling; empty bins are left out."""


def rescale(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return softmax(log p / temperature) over the last axis: the same as dividing the logits. `1 / temperature` undoes it."""
    powers = np.exp(_logits(probabilities) / temperature)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def fit_temperature(target: np.ndarray, probabilities: np.ndarray, *, seed: int) -> float:
    """Return the temperature that minimises the negative log-likelihood, or 1 where it does not help rows it was not fitted on.

    `probabilities` is (models, rows, classes), of models that did not train on these rows. The check is cross-fitted over five
    folds of rows, the same for all models: a row's copies under several seeds never stand on both sides. It stays 1 as well where
    every model is right on every row: the likelihood then grows with confidence without end, and nothing says where to stop.
    """
    rows = len(target)
    if rows < FOLDS * _ROWS_PER_FOLD or (probabilities.argmax(axis=-1) == target).all():
        return 1.0
    fold = np.random.default_rng(seed).permutation(rows) % FOLDS
    logits = _logits(probabilities)
    before = after = 0.0
    for number in range(FOLDS):
        out = fold == number
        temperature = _best(target[~out], logits[:, ~out])
        before += out.sum() * _loss(target[out], logits[:, out], 1.0)
        after += out.sum() * _loss(target[out], logits[:, out], temperature)
    return _best(target, logits) if after < before else 1.0


def calibrate(target: np.ndarray, probabilities: np.ndarray, temperature: float) -> Calibration:
    """Describe probabilities (rows, classes) that were made with `temperature`, before and after it."""
    raw = rescale(probabilities, 1 / temperature)
    bins = reliability(target, probabilities)
    return Calibration(temperature, expected_error(reliability(target, raw)), expected_error(bins), bins)


def reliability(target: np.ndarray, probabilities: np.ndarray) -> tuple[Bin, ...]:
    """Return the occupied ones of 15 equal-width bins over the confidence in the predicted class."""
    confidence = probabilities.max(axis=1)
    hits = probabilities.argmax(axis=1) == target
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return tuple(
        Bin(float(confidence[place == at].mean()), float(hits[place == at].mean()), int((place == at).sum()))
        for at in np.unique(place).tolist()
    )


def expected_error(bins: tuple[Bin, ...]) -> float:
    """Return the mean distance of accuracy from confidence, weighted by rows."""
    return sum(one.rows * abs(one.accuracy - one.confidence) for one in bins) / sum(one.rows for one in bins)


def _logits(probabilities: np.ndarray) -> np.ndarray:
    """Logarithms less the largest of each row, so that no power overflows."""
    logits = np.log(np.clip(np.asarray(probabilities, dtype=np.float64), _TINY, 1.0))
    return np.asarray(logits - logits.max(axis=-1, keepdims=True))


def _loss(target: np.ndarray, logits: np.ndarray, temperature: float) -> float:
    scaled = logits / temperature
    return float((np.log(np.exp(scaled).sum(axis=-1)) - scaled[:, np.arange(len(target)), target]).mean())


def _best(target: np.ndarray, logits: np.ndarray) -> float:
    """Halve the range of 1 / temperature, in which the loss is convex, by the sign of its slope: what is expected less what came."""
    low, high = 1 / HOTTEST, 1 / COLDEST
    came = logits[:, np.arange(len(target)), target].mean()
    for _ in range(20):  # 4.8 / 2 ** 20 is 5e-6
        middle = (low + high) / 2
        powers = np.exp(middle * logits)
        expected = ((powers * logits).sum(axis=-1) / powers.sum(axis=-1)).mean()
        low, high = (low, middle) if expected > came else (middle, high)
    return 2 / (low + high)
