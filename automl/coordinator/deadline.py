"""Sharing a wall-time budget between trials and what follows them. Learns from the trials how long a training takes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

_FIXED = 8.0
"""Seconds for export, its verification, scoring and the report; measured on 2 cores, see reports/benchmarks.md."""
_STARTS = 2.3
"""The same as a multiple of the time until the first trial left for a worker: a slow machine is slow at both ends."""
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
        self._longest = 0.0
        self._fixed = 0.0

    def learn_start(self) -> None:
        """Take how long it took until now, when the first trial leaves for a worker; later calls change nothing."""
        self._fixed = self._fixed or max(_FIXED, _STARTS * (self._clock() - self._started))

    def learn(self, seconds: float) -> None:
        """Take the training time of a trial that ran to its end."""
        self._longest = max(self._longest, seconds)

    def trials_over(self) -> bool:
        """True when no time is left for trials."""
        return self._over(self._longest * (self._rounds + 1.3))

    def confirmation_over(self) -> bool:
        """True when no time is left for confirmation: only refit and export still fit."""
        return self._over(self._longest * 1.3)

    def refits_over(self, count: int) -> bool:
        """True when no time is left for so many refits, side by side on all workers, and the export."""
        return self._over(self._longest * 1.3 * math.ceil(count / self._workers))

    def _over(self, training: float) -> bool:
        if self._seconds is None:
            return False
        reserve = (self._fixed or _FIXED) + training
        return self._clock() - self._started >= self._seconds - min(reserve, _MOST * self._seconds)
