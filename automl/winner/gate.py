"""Whether a new model takes the champion's place: both on the same test rows, by a paired test. Moves no alias itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from automl.rounding import gained
from automl.winner.evidence import CHAMPION
from automl.winner.sealed import Interval, Scores, paired_difference

_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Challenge:
    """What came of comparing the new model with the champion."""

    champion: int | None
    """The version that bore the alias; None where there was none."""
    gain: Interval | None
    """How much better the new model is; positive is better. None where nothing was compared."""
    moves: bool
    why: str

    def document(self) -> dict[str, Any]:
        """Return its part of the search's JSON document."""
        gain = None if self.gain is None else [self.gain.value, self.gain.low, self.gain.high]
        return {"champion": self.champion, "gain": gain, "moves": self.moves, "why": self.why}


def challenge(
    metric: str, direction: str, scores: Scores, champion: dict[str, Any], trouble: str, *, seed: int
) -> Challenge:
    """Compare the new model with the champion (`version`, or None where there is none) on the rows both predicted.

    The alias moves when the 95 % interval of the paired difference lies above 0. For accuracy the exact test of McNemar (1947)
    must agree: with few rows on which the two differ, resampling finds a gain too easily. A champion that could not be scored
    keeps its place.
    """
    version = champion["version"]
    if version is None:
        return Challenge(None, None, True, "no champion yet")
    if CHAMPION not in scores.predictions:
        return Challenge(version, None, False, trouble or f"champion {version} was not scored")
    ours, theirs = scores.judged(metric, "model"), scores.judged(metric, CHAMPION)
    difference = paired_difference(metric, scores.target, ours, theirs, seed=seed, clusters=scores.clusters)
    gain = difference.as_gain(direction)
    exact = _mcnemar(scores.target, ours, theirs) if metric == "accuracy" else 0.0
    moves = gain.low > 0 and exact < _LEVEL
    interval = f"{gained(gain.value)} [{gained(gain.low)}, {gained(gain.high)}]"
    why = f"{metric} {interval} against champion {version} on {len(scores.target)} test rows"
    return Challenge(version, gain, moves, f"{why}: {'better' if moves else 'not surely better'}")


def _mcnemar(target: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the two-sided p-value over the rows that only one of the two gets right; 1 where there are none."""
    from scipy.stats import binomtest  # half a second that only the end of a search needs

    right, other = ours.argmax(axis=1) == target, theirs.argmax(axis=1) == target
    wins, losses = int(np.sum(right & ~other)), int(np.sum(other & ~right))
    return float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
