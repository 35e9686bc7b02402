"""Sharing a wall-time budget between trials and what follows them. Learns from the trials how long a training takes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

_FIXED = 8.0
"""Seconds for export, its verification, scoring and the report; measured on 2 cores, see reports/benchmarks.md."""
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

    def learn(self, seconds: float) -> None:
        """Take the training time of a trial that ran to its end."""
        self._longest = max(self._longest, seconds)

    def trials_over(self) -> bool:
        """True when no time is left for trials."""
        return self._over(_FIXED + self._longest * (self._rounds + 1.3))

    def confirmation_over(self) -> bool:
        """True when no time is left for confirmation: only refit and export still fit."""
        return self._over(_FIXED + self._longest * 1.3)

    def refits_over(self, count: int) -> bool:
        """True when no time is left for so many refits, side by side on all workers, and the export."""
        return self._over(_FIXED + self._longest * 1.3 * math.ceil(count / self._workers))

    def _over(self, reserve: float) -> bool:
        if self._seconds is None:
            return False
        return self._clock() - self._started >= self._seconds - min(reserve, _MOST * self._seconds)
