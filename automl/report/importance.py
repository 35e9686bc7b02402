"""How much of the differences between slots one parameter explains. Knows no drawing.

Eta squared of the Kruskal-Wallis H (Kruskal and Wallis 1952; Tomczak and Tomczak 2014, "The need to report effect size estimates
revisited"): a one-way analysis of variance of the slots' ranks. Ranks, since one diverged trial would else outweigh all others,
and since a slot that was stopped early has a place below those that were not, but no comparable value. The measure is corrected
for chance: a parameter without influence has 0 on average, however few slots or many groups there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from automl.report.slots import Trials

FEWEST_SLOTS = 12
"""Below this a share says nothing."""
LEVEL = 0.01
"""Chance of calling a parameter important that is not."""
_MOST_GROUPS = 8
_PER_GROUP = 5


@dataclass(frozen=True, slots=True)
class Importance:
    """What one parameter explains by itself."""

    parameter: str
    share: float
    """Of the variance of ranks, 0 to 1; shares of several parameters need not add up to 1."""
    chance: float
    """Probability of so large a share if the parameter had no influence."""
    slots: int
    """That have the parameter at all: a momentum is there only where the optimiser has one."""

    @property
    def clear(self) -> bool:
        """Whether it is more than chance."""
        return self.chance < LEVEL


def importances(trials: Trials) -> list[Importance]:
    """Return every parameter that varies, the most important first; empty with fewer than `FEWEST_SLOTS` slots.

    Failed slots are left out: most of them failed for reasons of the machine.
    """
    ranked = [slot for slot in trials.ranked if slot.value is not None]
    if len(ranked) < FEWEST_SLOTS:
        return []
    keys = [(0, slot.value) if slot.complete else (slot.steps + 1, slot.value) for slot in ranked]
    ranks = _ranks(keys)
    found = []
    for name in dict.fromkeys(name for slot in ranked for name in slot.params):
        there = np.array([name in slot.params for slot in ranked])
        groups = _groups([slot.params[name] for slot in ranked if name in slot.params])
        if there.sum() >= FEWEST_SLOTS and len(np.unique(groups)) > 1:
            found.append(Importance(name, *_effect(ranks[there], groups), int(there.sum())))
    return sorted(found, key=lambda one: (-one.share, one.chance, one.parameter))


def _effect(ranks: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Return eta squared of H and the chance of such an H (chi squared with one degree less than there are groups)."""
    from scipy.special import chdtrc

    count, kinds = len(ranks), int(groups.max()) + 1
    total = float(np.square(ranks - ranks.mean()).sum())
    if total == 0 or count <= kinds:
        return 0.0, 1.0
    sizes = np.bincount(groups, minlength=kinds)
    means = np.bincount(groups, weights=ranks, minlength=kinds) / sizes
    h = (count - 1) * float((sizes * np.square(means - ranks.mean())).sum()) / total  # with ties corrected for
    return max(0.0, (h - kinds + 1) / (count - kinds)), float(chdtrc(kinds - 1, h))


def _groups(values: Sequence[Any]) -> np.ndarray:
    """Number the groups of equal values, or of neighbouring ones where a number has many."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return _numbered([str(value) for value in values])
    most = max(2, min(_MOST_GROUPS, len(values) // _PER_GROUP))
    if len(set(values)) <= most:
        return _numbered(values)
    inner = np.linspace(0, 1, most + 1)[1:-1]
    return _numbered(np.searchsorted(np.unique(np.quantile(values, inner)), values, side="right"))


def _numbered(values: Iterable[Any]) -> np.ndarray:
    return np.unique(np.asarray(list(values)), return_inverse=True)[1]


def _ranks(keys: Sequence[tuple[int, float | None]]) -> np.ndarray:
    """Mean ranks of keys that come in order: equal ones share theirs."""
    starts = [place for place, key in enumerate(keys) if place == 0 or key != keys[place - 1]]
    sizes = np.diff([*starts, len(keys)])
    return np.repeat(np.asarray(starts) + (sizes - 1) / 2, sizes)
