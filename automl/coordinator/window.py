"""Which finished trials a study keeps when it has too many: the best, those most like one of them, and some of the others.

TPE draws candidates around its best trials and asks how densely the others lie there. A trial nearby keeps TPE from trying
the same spot again; a sample of those farther off keeps it from taking their places for unexplored. The latest trials alone,
or an even sample alone, gave worse results (reports/LOG.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from automl.direction import sign

BEST = 25
"""As many as TPE ever models its good points by."""


def keep(trials: Sequence[FrozenTrial], size: int, direction: str) -> list[FrozenTrial]:
    """Return `size` finished trials in their old order: the best; of the rest half the nearest to one of them, half evenly."""
    ranked = sorted(range(len(trials)), key=lambda place: _rank(trials[place], direction))
    best, rest = ranked[:BEST], ranked[BEST:]
    points = _points(trials)
    gaps = np.abs(points[rest][:, None] - points[best]).sum(axis=2).min(axis=1)
    by_gap = [rest[place] for place in np.argsort(gaps, kind="stable")]
    half = (size - len(best)) // 2
    near, far = by_gap[:half], sorted(by_gap[half:])
    evenly = np.linspace(0, len(far) - 1, size - len(best) - half).round().astype(int)
    return [trials[place] for place in sorted([*best, *near, *(far[place] for place in evenly)])]


def _rank(trial: FrozenTrial, direction: str) -> tuple[bool, float]:
    """Sort key: complete trials first, the best of them foremost."""
    value = trial.value or 0.0
    return trial.state != TrialState.COMPLETE, -sign(direction) * value


def _points(trials: Sequence[FrozenTrial]) -> NDArray[np.float64]:
    """Return trials x coordinates. Numbers span 0 to 1 over their range; two different choices are 1 apart.

    A parameter that a trial does not have lies in the middle.
    """
    seen = {name: distribution for trial in trials for name, distribution in trial.distributions.items()}
    columns = []
    for name, distribution in seen.items():
        values = [trial.params.get(name) for trial in trials]
        if isinstance(distribution, CategoricalDistribution):
            columns += [[0.5 * (value == choice) for value in values] for choice in distribution.choices]
        elif isinstance(distribution, FloatDistribution | IntDistribution):
            scale: Callable[[float], float] = math.log if distribution.log else float
            low, high = scale(distribution.low), scale(distribution.high)
            columns.append([0.5 if v is None or low == high else (scale(v) - low) / (high - low) for v in values])
    return np.array(columns).T
