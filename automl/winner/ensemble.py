"""Greedy ensemble selection with replacement, in numpy, and whether it beats a single model beyond noise. Trains nothing.

Caruana et al., "Ensemble Selection from Libraries of Models" (ICML 2004). The rule: both an ensemble and the best single model are
chosen with each fifth of the validation rows left out, and predict the rows left out. The ensemble becomes the candidate only if its
gain there is above zero with 95 % confidence, one-sided. Were the single model not chosen anew, the rows that had favoured it would
speak for it (replayed on eight tables, reports/LOG.md). The sealed test has no say in that: it reports the difference afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from automl.direction import sign
from automl.tasks.metrics import best_threshold, judged, measure
from automl.winner.blocks import Blocks
from automl.winner.sealed import Interval, paired_difference

PICKS = 15
MOST_MEMBERS = 5
"""Distinct ones: each is refitted, and answers every prediction."""
FOLDS = 5
FEWEST_ROWS = 20
Told = Callable[[np.ndarray], np.ndarray]
_WIDTH = 2 * 1.96
"""Standard errors in a 95 % interval."""
_ONE_SIDED = 1.645


@dataclass(frozen=True, slots=True)
class Selection:
    """What the validation rows say of an ensemble."""

    weights: tuple[float, ...]
    """One per candidate, adding up to 1."""
    value: float
    """The metric on rows that did not choose, joined over the folds."""
    gain: Interval
    """Over a single model that these rows did not choose either; positive is better."""
    held_out: np.ndarray
    """Predictions of those rows."""

    @property
    def is_better(self) -> bool:
        """True where it beats a single model beyond noise, and is more than one model."""
        error = (self.gain.high - self.gain.low) / _WIDTH
        return self.gain.value > _ONE_SIDED * error and sum(weight > 0 for weight in self.weights) > 1


def select(
    metric: str,
    direction: str,
    target: np.ndarray,
    candidates: Sequence[np.ndarray],
    *,
    seed: int,
    clusters: np.ndarray | None = None,
    told: Told = np.asarray,
) -> Selection:
    """Select from `candidates`: what members are averaged in, which `told` turns into predictions shaped as `measure` takes them.

    Rows of a forecast, which overlap as their `clusters` say, are left out by stretches of time: else neighbours of a row that is left
    out would choose for it.
    """
    held_out, ours, theirs = (np.zeros_like(np.asarray(candidates[0], dtype=np.float64)) for _ in range(3))
    fold = _folds(len(target), seed) if clusters is None else Blocks.of(clusters).stretches(FOLDS)
    for number in range(FOLDS):
        out = fold == number
        others = [one[~out] for one in candidates]
        mixture = told(weighted(greedy(metric, direction, target[~out], others, told), candidates))
        single = max(range(len(others)), key=lambda place: _rank(metric, direction, target[~out], told(others[place])))
        held_out[out] = mixture[out]
        # Both sides are decided by the threshold that the other rows suggest.
        for judged_, one in ((ours, mixture), (theirs, told(candidates[single]))):
            judged_[out] = judged(metric, one[out], best_threshold(metric, target[~out], one[~out]))
    gain = paired_difference(metric, target, ours, theirs, seed=seed, clusters=clusters).as_gain(direction)
    weights = greedy(metric, direction, target, candidates, told)
    return Selection(weights, measure(metric, target, ours), gain, held_out)


def _folds(rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(rows) % FOLDS


def greedy(
    metric: str, direction: str, target: np.ndarray, candidates: Sequence[np.ndarray], told: Told = np.asarray
) -> tuple[float, ...]:
    """Return weights: the best first few of the sorted candidates, then whichever helps most, with replacement.

    Ties in the metric go to the lower loss of probabilities or numbers, then to the earlier candidate: accuracy alone cannot tell
    models apart on a few rows. What is returned is the best mixture that was met on the way.
    """

    def rank(prediction: np.ndarray) -> tuple[float, float]:
        return _rank(metric, direction, target, told(prediction))

    order = sorted(range(len(candidates)), key=lambda place: rank(candidates[place]), reverse=True)
    starts = [tuple(order[: count + 1]) for count in range(min(MOST_MEMBERS, len(order)))]
    mixtures = {start: rank(np.mean([candidates[place] for place in start], axis=0)) for start in starts}
    picks = max(starts, key=mixtures.__getitem__)
    total = np.sum([candidates[place] for place in picks], axis=0)
    best, best_picks = mixtures[picks], picks
    while len(picks) < PICKS:
        allowed = order if len(set(picks)) < MOST_MEMBERS else sorted(set(picks), key=order.index)
        added = {place: rank((total + candidates[place]) / (len(picks) + 1)) for place in allowed}
        chosen = max(allowed, key=added.__getitem__)
        picks, total = (*picks, chosen), total + candidates[chosen]
        if added[chosen] > best:
            best, best_picks = added[chosen], picks
    return tuple(best_picks.count(place) / len(best_picks) for place in range(len(candidates)))


def weighted(weights: Sequence[float], candidates: Sequence[np.ndarray]) -> np.ndarray:
    """Return the weighted mean of predictions."""
    return np.asarray(sum(weight * one for weight, one in zip(weights, candidates, strict=True)))


def _rank(metric: str, direction: str, target: np.ndarray, prediction: np.ndarray) -> tuple[float, float]:
    value = measure(metric, target, prediction, best_threshold(metric, target, prediction))
    return sign(direction) * value, -_smooth_loss(target, prediction)


def _smooth_loss(target: np.ndarray, prediction: np.ndarray) -> float:
    if prediction.shape == target.shape:
        return float(np.nanmean(np.square(target - prediction)))
    return measure("log_loss", target, prediction)
