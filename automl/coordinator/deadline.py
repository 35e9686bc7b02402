"""Sharing a wall-time budget between trials and what follows them. Learns from the trials how long a training takes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

_FIXED = 8.0
"""Seconds for export, its verification, scoring and the report; measured on 2 cores, see reports/benchmarks.md."""
_STARTS = 2.3
"""The same as a multiple of the time until the first trial left for a worker: a slow machine is slow at both ends."""
_ONE_TRIAL = 0.15
"""Share of the budget that one trial may take: with confirmation and refit it is trained at least three times."""
_LONGER = 1.3
"""A refit sees the validation rows too."""
_TOLERANCE = 0.03
"""Share of the budget by which the command may end late, at most."""
_SHORTEST_WAIT = 0.5
_EXPLAINING, _EXPLAINING_LEAST, _EXPLAINING_MOST = 0.05, 3.0, 10.0
"""Share of the budget that explanations may take, and its bounds in seconds: to import captum alone takes one to two."""
_AFTER_SCORE = 0.5
"""Of the fixed share, what is still to come when the test rows are read: they are read beside the export."""
_MOST = 0.6
"""Share of the whole that may be kept back at most: a search must search."""


class Deadline:
    """When trials must end so that confirmation, refit and export still fit. Without a budget it never comes."""

    def __init__(
        self,
        seconds: float | None,
        *,
        started: float,
        workers: int,
        confirmations: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._started = started
        self._workers = workers
        self._rounds = math.ceil(confirmations / workers)
        self._clock = clock
        self._longest: dict[str, float] = {}
        self._leader, self._best = "", math.inf
        self._fixed = 0.0

    @property
    def is_set(self) -> bool:
        """Whether there is a budget."""
        return self._seconds is not None

    def longest_fit(self, folds: int) -> float | None:
        """Seconds after which a training ends with what it has: on large data none would end otherwise. None without a budget.

        With folds a trial may take twice as long: it is confirmed and refitted by single trainings.
        """
        return None if self._seconds is None else _ONE_TRIAL * self._seconds / max(1.0, folds / 2)

    def learn_start(self) -> None:
        """Take how long it took until now, when the first trial leaves for a worker; later calls change nothing."""
        self._fixed = self._fixed or max(_FIXED, _STARTS * (self._clock() - self._started))

    def learn(self, family: str, seconds: float, loss: float) -> None:
        """Take the training time of a trial that ran to its end, and its value, the lower the better.

        What follows the trials trains the leader's family, so that is the family whose longest trial counts.
        """
        self._longest[family] = max(self._longest.get(family, 0.0), seconds)
        if loss < self._best:
            self._leader, self._best = family, loss

    def trials_over(self) -> bool:
        """True when no time is left for trials."""
        return self._over(self._training * (self._rounds + _LONGER))

    def confirmation_over(self) -> bool:
        """True when no time is left for confirmation: only refit and export still fit."""
        return self._over(self._training * _LONGER)

    def refits_over(self, count: int) -> bool:
        """True when no time is left for so many refits of any family, side by side on all workers, and the export."""
        return self._over(max(self._longest.values(), default=0.0) * _LONGER * math.ceil(count / self._workers))

    def left_for_views(self) -> float | None:
        """Seconds that MLflow may be waited for in the end; None without a budget. What it lacks then is sent later."""
        if self._seconds is None:
            return None
        return max(_SHORTEST_WAIT, self._seconds * (1 + _TOLERANCE) - (self._clock() - self._started))

    def left_for_explaining(self) -> float:
        """Seconds that explanations may take, asked for when the test rows are about to be read; 0 where none are left."""
        if self._seconds is None:
            return _EXPLAINING_MOST
        share = min(max(_EXPLAINING * self._seconds, _EXPLAINING_LEAST), _EXPLAINING_MOST)
        to_come = min(_AFTER_SCORE * (self._fixed or _FIXED), _MOST * self._seconds)
        return min(share, max(0.0, self._seconds - to_come - (self._clock() - self._started)))

    @property
    def _training(self) -> float:
        return self._longest.get(self._leader, 0.0)

    def _over(self, training: float) -> bool:
        if self._seconds is None:
            return False
        reserve = (self._fixed or _FIXED) + training
        return self._clock() - self._started >= self._seconds - min(reserve, _MOST * self._seconds)
