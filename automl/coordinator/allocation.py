"""Which family gets the next slot. A function of history alone: never of the budget, so a raised budget continues the same search.

First each family's default, then equal shares, then shares by how often a family's recent trials enter the best fifth of all.
No family falls below a quarter of the leader's share. The idea is that of rising bandits (Li et al. 2020, AAAI,
doi:10.1609/aaai.v34i04.5897): spend where the best still moves; the rule here is simpler and needs no horizon.
"""

from __future__ import annotations

import bisect
import math
from collections import deque
from collections.abc import Iterable

_WARM_UP = 5
"""Slots of each family before shares may differ."""
_RECENT = 12
"""A family is judged by its latest trials, so that one which has stopped improving gives way."""
_FLOOR = 0.25


class Allocation:
    """Counts slots and values by family; costs the same at slot 10 and at slot 10,000."""

    def __init__(self, families: Iterable[str], direction: str) -> None:
        self._sign = -1.0 if direction == "maximize" else 1.0
        self._slots = dict.fromkeys(families, 0)
        self._recent: dict[str, deque[float]] = {family: deque(maxlen=_RECENT) for family in self._slots}
        self._losses: list[float] = []

    def give(self, family: str) -> None:
        """Count a slot for a family."""
        self._slots[family] += 1

    def learn(self, family: str, value: float) -> None:
        """Take a slot's value, complete or pruned."""
        loss = self._sign * value
        self._recent[family].append(loss)
        bisect.insort(self._losses, loss)

    def next_family(self, open_families: Iterable[str]) -> str:
        """Return the family for the next slot, among those that still have points to try."""
        families = list(open_families)
        if min(self._slots[family] for family in families) < _WARM_UP:
            return min(families, key=lambda family: self._slots[family])
        shares = self._shares(families)
        return min(families, key=lambda family: self._slots[family] / shares[family])

    def _shares(self, families: list[str]) -> dict[str, float]:
        if not self._losses:
            return dict.fromkeys(families, 1.0)
        bar = self._losses[max(0, math.ceil(len(self._losses) / 5) - 1)]
        rates = {}
        for family in families:
            recent = self._recent[family]
            hits = sum(1 for loss in recent if loss <= bar)
            rates[family] = (hits + 1) / (len(recent) + 2)  # Laplace's rule: few trials prove little
        leader = max(rates.values())
        return {family: max(rate, _FLOOR * leader) for family, rate in rates.items()}
