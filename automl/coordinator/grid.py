"""Every point of a family's space on a coarse grid, branches included, without knowing the space beforehand.

A define-by-run space is a tree of choices. The odometer replays `suggest` with a list of choice numbers, and counts up the
last one that has a next value, so each leaf is met exactly once.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from automl.catalog import Space
from automl.coordinator.space import Override, RangedTrial
from automl.messages import Spec

_NUMBERS = 3
"""Points on a numeric range: both ends and the middle (geometric where the range is logarithmic)."""
_MOST_POINTS = 10_000
_FEW = 16


def grid_points(space: Space, spec: Spec, overrides: Mapping[str, Override], seed: int) -> list[dict[str, Any]]:
    """Return the grid in an order shuffled by `seed`, at most 10,000 points."""
    points = list(itertools.islice(_leaves(space, spec, overrides), _MOST_POINTS))
    random.Random(seed).shuffle(points)
    return points


def few_points(space: Space, spec: Spec, overrides: Mapping[str, Override]) -> list[dict[str, Any]] | None:
    """Return all points where the family itself has only a few, so that none is tried twice; None where it has ranges to choose from."""
    own = list(itertools.islice(_walked(space, spec, {}), _FEW + 1))
    if len(own) > _FEW or any(trial.has_range for trial in own):
        return None
    return list(_leaves(space, spec, overrides))


def _leaves(space: Space, spec: Spec, overrides: Mapping[str, Override]) -> Iterator[dict[str, Any]]:
    return (trial.values for trial in _walked(space, spec, overrides))


def _walked(space: Space, spec: Spec, overrides: Mapping[str, Override]) -> Iterator[_OdometerTrial]:
    wheels: list[int] = []
    while True:
        trial = _OdometerTrial(wheels)
        space.suggest(RangedTrial(trial, overrides), spec)
        yield trial
        wheels = trial.wheels
        while wheels and wheels[-1] + 1 == trial.sizes[len(wheels) - 1]:
            wheels.pop()
        if not wheels:
            return
        wheels[-1] += 1


class _OdometerTrial:
    def __init__(self, wheels: list[int]) -> None:
        self.wheels = list(wheels)
        self.sizes: list[int] = []
        self.values: dict[str, Any] = {}
        self.has_range = False
        """Whether more values are possible than are on the grid."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        self.has_range |= low < high
        return float(self._pick(name, _spread(low, high, log)))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        whole = range(low, high + 1, step)
        self.has_range |= len(whole) > _NUMBERS
        values = list(whole) if len(whole) <= _NUMBERS else [round(value) for value in _spread(low, high, log)]
        return int(self._pick(name, [low + (value - low) // step * step for value in values]))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._pick(name, choices)

    def _pick(self, name: str, values: Sequence[Any]) -> Any:
        values = list(dict.fromkeys(values))
        place = len(self.sizes)
        self.sizes.append(len(values))
        if place == len(self.wheels):
            self.wheels.append(0)
        self.values[name] = values[self.wheels[place]]
        return self.values[name]


def _spread(low: float, high: float, log: bool) -> list[float]:
    middle = math.sqrt(low * high) if log else (low + high) / 2
    return [low, middle, high]
