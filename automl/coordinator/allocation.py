"""Which family gets the next slot. A function of history alone: never of the budget, so a raised budget continues the same search.

First each family's default, then equal shares, then shares by how many of a family's recent trials are among the best fifth of all
recent ones that were completed. No family falls below a quarter of the leader's share. Shares are of slots where slots are what is
given, and of the workers' seconds where time is: else the slowest family would take most of it, however poor.
The idea is that of rising bandits (Li et al. 2020, AAAI, doi:10.1609/aaai.v34i04.5897): spend where the best still moves; the rule
here is simpler and needs no horizon.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

from automl.direction import sign
from automl.ledger import Attempt

_EQUAL_SLOTS = 5
"""Each family gets so many slots before one may get more than another: fewer trials would say nothing of it. Where seconds are shared
out, each gets its default alone, since five trials of the slowest family may take most of the time."""
_RECENT = 12
"""A family is judged by so many of its latest trials, so that one which has stopped improving gives way."""
_LEAST_SHARE = 0.25
"""No family's share falls below this part of the largest: one that is behind now may still catch up."""


class Allocation:
    """Counts what each family was given, and what came of it; costs the same at slot 10 and at slot 10,000."""

    def __init__(self, families: Iterable[str], direction: str, *, by_time: bool = False) -> None:
        """`by_time`: shares are of seconds, not of slots."""
        self._sign = sign(direction)
        self._by_time = by_time
        self._slots = dict.fromkeys(families, 0)
        self._ended = dict.fromkeys(self._slots, 0)
        self._seconds = dict.fromkeys(self._slots, 0.0)
        self._recent: dict[str, deque[float]] = {family: deque(maxlen=_RECENT) for family in self._slots}
        """Family -> its latest trials' values, turned so that less is better; infinity where one was stopped early."""

    def give(self, family: str) -> None:
        """Count a slot for a family."""
        self._slots[family] += 1

    def learn(self, trial: Attempt) -> None:
        """Take a final trial: its seconds and its value. One that was stopped early has none that could be compared."""
        family = trial.family
        self._ended[family] += 1
        self._seconds[family] += trial.outcome.cost.get("seconds", 0.0) if trial.outcome is not None else 0.0
        if trial.state == "complete" and trial.value is not None:
            self._recent[family].append(-self._sign * trial.value)
        elif trial.state == "pruned":
            self._recent[family].append(math.inf)

    def next_family(self, open_families: Iterable[str]) -> str:
        """Return the family for the next slot, among those that still have points to try."""
        families = list(open_families)
        if min(self._slots[family] for family in families) < (1 if self._by_time else _EQUAL_SLOTS):
            return min(families, key=lambda family: self._slots[family])
        shares = self._shares(families)
        return min(families, key=lambda family: self._given(family) / shares[family])

    def _given(self, family: str) -> float:
        """Slots, or seconds; a slot that still runs counts by the mean of those that ended."""
        if not self._by_time:
            return self._slots[family]
        known = [family] if self._ended[family] else list(self._ended)
        ended = sum(self._ended[one] for one in known)
        mean = sum(self._seconds[one] for one in known) / ended if ended else 1.0
        return self._seconds[family] + mean * (self._slots[family] - self._ended[family])

    def _shares(self, families: list[str]) -> dict[str, float]:
        """Return how much each should be given beside the others, by how many of its recent trials are among the best fifth of all."""
        losses = sorted(loss for recent in self._recent.values() for loss in recent if loss < math.inf)
        if not losses:
            return dict.fromkeys(families, 1.0)
        bar = losses[math.ceil(len(losses) / 5) - 1]
        rates = {}
        for family in families:
            recent = self._recent[family]
            hits = sum(1 for loss in recent if loss <= bar)
            rates[family] = (hits + 1) / (len(recent) + 2)  # Laplace's rule: few trials prove little
        leader = max(rates.values())
        return {family: max(rate, _LEAST_SHARE * leader) for family, rate in rates.items()}
