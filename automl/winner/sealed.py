"""How sure a test result is: bootstrap intervals over test rows. Reads what a `score` assignment saved; trains nothing.

Percentile bootstrap, Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13. Rows are drawn one by one; those of
a forecast, which overlap in time, in blocks (`blocks.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from automl.errors import DataError, StorageError
from automl.rounding import interval, rounded
from automl.tasks.metrics import EVEN, METRICS, judged, measure
from automl.winner.blocks import Blocks

RESAMPLES = 2000
_MOST_ROWS = 50_000
"""Rows that are resampled; of more, the first (they lie in no order), and the interval is narrowed to what all would give."""
_DRAWS_AT_ONCE = 1 << 17
"""Few enough to stay in a core's cache: four times as fast as four million for `roc_auc`."""
_TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Scores:
    """Test rows and what was predicted for them."""

    target: np.ndarray
    """(rows,) class indices, or numbers in the target's own units; (rows, horizon) of forecasts, NaN where one is missing."""
    predictions: dict[str, np.ndarray]
    """`model` and each baseline by name; shapes as `measure` takes them."""
    thresholds: dict[str, float] = field(default_factory=dict)
    """By the same names: the probability above which the second of two classes was decided for; 0.5 where none is named."""
    clusters: np.ndarray | None = None
    """Of forecasts and of groups, as `Blocks.of` takes them; None where rows are drawn one by one."""

    def judged(self, metric: str, name: str) -> np.ndarray:
        """Return one's predictions as the metric sees them, decided by its own threshold: what `bootstrap` takes."""
        return judged(metric, self.predictions[name], self.thresholds.get(name, EVEN))


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return `0.71 [0.69, 0.73]`."""
        return f"{rounded(self.value)} {interval(self.low, self.high)}"

    def __neg__(self) -> Interval:
        """Return what a gain is as a loss."""
        return Interval(-self.value, -self.high, -self.low)

    def as_gain(self, direction: str) -> Interval:
        """Of a difference in a metric: how much better that is, so that positive is better."""
        return self if direction == "maximize" else -self


def read_scores(path: Path) -> Scores:
    """Read the `.npz` of a `score` outcome. Raises StorageError."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        target, clusters = arrays.pop("target"), arrays.pop("clusters", None)
        thresholds = arrays.pop("thresholds", np.full(len(arrays), EVEN))
        return Scores(target, arrays, dict(zip(arrays, thresholds.tolist(), strict=True)), clusters)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise StorageError(
            f"Test predictions cannot be read: {path} ({error}).", hint="Score the model again."
        ) from None


def read_importance(path: Path) -> dict[str, list[float]]:
    """Read a table's columns from what a `score` explained: column -> [mean loss of the metric when shuffled, standard error].

    The most important first; empty where nothing of the kind was measured. Raises StorageError.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            if "columns" not in archive.files:
                return {}
            columns, values = archive["columns"].tolist(), archive["importance"].tolist()
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise StorageError(f"Importance cannot be read: {path} ({error}).", hint="Score the model again.") from None
    # A metric that is no number for shuffled rows (a prediction that is infinite) has no place in JSON.
    return {name: pair for name, pair in zip(columns, values, strict=True) if all(map(math.isfinite, pair))}


def bootstrap(
    metric: str, target: np.ndarray, prediction: np.ndarray, *, seed: int, clusters: np.ndarray | None = None
) -> Interval:
    """Return the metric with its 95 % percentile interval over resampled test rows, or over blocks of them: see `Blocks.of`.

    Where every row is right, or every row wrong, resampling shows no spread at all; accuracy then takes the exact binomial
    bound instead (Clopper and Pearson 1934), so that 35 right out of 35 reads [0.90, 1.00] and not [1.00, 1.00]. Rows of one group
    are right or wrong together, so there groups are counted.
    """
    value = measure(metric, target, prediction)
    if metric == "accuracy" and value in (0.0, 1.0):
        bound = _TAIL ** (1 / (len(target) if clusters is None else Blocks.of(clusters).units))
        return Interval(value, bound, 1.0) if value else Interval(value, 0.0, 1 - bound)
    (resampled,), factor = _resampled(metric, target, (prediction,), seed, clusters)
    found = _interval(value, resampled, factor)
    if METRICS[metric].direction == "maximize":  # a widened interval must not leave what the metric can be
        return Interval(value, found.low, min(found.high, 1.0))
    return Interval(value, max(found.low, 0.0), found.high)


def paired_difference(
    metric: str,
    target: np.ndarray,
    prediction: np.ndarray,
    other: np.ndarray,
    *,
    seed: int,
    clusters: np.ndarray | None = None,
) -> Interval:
    """Return metric(prediction) - metric(other) with its 95 % interval; both are measured on the same resampled rows."""
    value = measure(metric, target, prediction) - measure(metric, target, other)
    (ours, theirs), factor = _resampled(metric, target, (prediction, other), seed, clusters)
    return _interval(value, ours - theirs, factor)


def _interval(value: float, resampled: np.ndarray, factor: float) -> Interval:
    """The percentiles, or, where the spread of all rows is another than that of the resamples, so many times theirs."""
    low, middle, high = (float(one) for one in np.nanquantile(resampled, [_TAIL, 0.5, 1 - _TAIL]))
    if factor == 1.0:
        return Interval(value, low, high)
    centre = middle if factor < 1.0 else value
    return Interval(value, value + factor * (low - centre), value + factor * (high - centre))


def _resampled(
    metric: str, target: np.ndarray, predictions: tuple[np.ndarray, ...], seed: int, clusters: np.ndarray | None
) -> tuple[np.ndarray, float]:
    """Return (predictions, resamples) values of the metric, each column on the same drawn rows, and by what to widen their spread.

    Few blocks need more; of a part of the rows the spread falls with the root of the rows' number (Bickel, Götze and van Zwet,
    "Resampling fewer than n observations", 1997).
    """
    blocks, kept = (
        (None, np.arange(len(target)) < _MOST_ROWS) if clusters is None else Blocks.of(clusters).first(_MOST_ROWS)
    )
    factor = math.sqrt(kept.mean()) * (1.0 if blocks is None else blocks.widening)
    target, predictions = target[kept], tuple(prediction[kept] for prediction in predictions)
    rng = np.random.default_rng(seed)
    evaluate = _MEANS.get(metric)
    losses = [evaluate[0](target, prediction) for prediction in predictions] if evaluate else []
    values = []
    for resamples in _batches(len(target)):
        counts = _counts(len(target), resamples, rng) if blocks is None else blocks.counts(resamples, rng)
        if evaluate:
            rows = counts.sum(axis=1)
            values.append(np.stack([evaluate[1]((counts * loss).sum(axis=1) / rows) for loss in losses]))
        elif metric == "roc_auc":
            values.append(np.stack([_areas(target, one, counts) for one in predictions]))
        else:
            drawn = [np.repeat(np.arange(len(target)), count) for count in counts]
            values.append(np.array([[_measure(metric, target[at], one[at]) for at in drawn] for one in predictions]))
    return np.concatenate(values, axis=1), factor


def _counts(rows: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """(resamples, rows): how often each row is drawn, all alike likely."""
    drawn = rng.integers(0, rows, size=(resamples, rows)) + rows * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * rows).reshape(resamples, rows)


def _batches(rows: int) -> list[int]:
    size = max(1, min(RESAMPLES, _DRAWS_AT_ONCE // rows))
    return [min(size, RESAMPLES - start) for start in range(0, RESAMPLES, size)]


def _measure(metric: str, target: np.ndarray, prediction: np.ndarray) -> float:
    try:
        return measure(metric, target, prediction)
    except DataError:  # a resample of one class has no area under a curve
        return float("nan")


def _areas(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """`roc_auc` where resample i holds row j `counts[i, j]` times; the rows are ranked once for all resamples."""
    classes = prediction.shape[1]
    labels = [1] if classes == 2 else range(classes)
    areas = np.stack([_area(target == label, prediction[:, label], counts) for label in labels])
    known = ~np.isnan(areas)  # a class without rows in a resample is left out, a resample of one class has none
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, areas, 0.0).sum(axis=0) / known.sum(axis=0))


def _area(positive: np.ndarray, score: np.ndarray, counts: np.ndarray) -> np.ndarray:
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=np.nan))  # of each run of equal probabilities
    ranked, positive = counts[:, order].astype(np.float64), positive[order]
    hits, misses = (np.add.reduceat(ranked * chosen, starts, axis=1) for chosen in (positive, ~positive))
    below = misses.cumsum(axis=1) - misses / 2
    with np.errstate(invalid="ignore"):
        return np.asarray((hits * below).sum(axis=1) / (hits.sum(axis=1) * misses.sum(axis=1)))


def _hits(target: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    return (prediction.argmax(axis=1) == target).astype(np.float64)


def _log_losses(target: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    epsilon = np.finfo(prediction.dtype).eps
    return -np.log(np.clip(prediction[np.arange(len(target)), target], epsilon, 1 - epsilon))


def _over_steps(losses: np.ndarray) -> np.ndarray:
    """(rows,) as it is; a forecast's row (rows, horizon) counts by the mean over the steps that are known."""
    return losses if losses.ndim == 1 else np.asarray(np.nanmean(losses, axis=1))


_MEANS: dict[str, tuple[Callable[[np.ndarray, np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]] = {
    "accuracy": (_hits, np.asarray),
    "log_loss": (_log_losses, np.asarray),
    "mae": (lambda target, prediction: _over_steps(np.abs(target - prediction)), np.asarray),
    "rmse": (lambda target, prediction: _over_steps(np.square(target - prediction)), np.sqrt),
}
"""Metrics that are a function of a mean over rows: (value of each row, function of their mean). The rest are measured anew."""
