"""How fast a phase gets on, by its latest ends: what is left of the work, in seconds. Knows nothing of what ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

_RECENT = 32
"""Ends that the speed is measured by: enough to be steady, few enough to follow a change."""
_LEAST = 3
"""With fewer ends a speed would be a guess."""


class Pace:
    """Counts ends since a phase began."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._times = deque([clock()], maxlen=_RECENT + 1)
        self.ends = 0

    def end(self) -> None:
        """One more is done."""
        self.ends += 1
        self._times.append(self._clock())

    @property
    def speed(self) -> float | None:
        """Ends per second of late; None while too few are known."""
        if self.ends < _LEAST:
            return None
        # Up to now, not up to the last end: a phase in which nothing ends any more must look slower and slower.
        spent = max(self._clock() - self._times[0], 1e-3)
        return (len(self._times) - 1) / spent

    def seconds_for(self, count: int) -> float | None:
        """Return how long `count` more would take at this speed."""
        speed = self.speed
        return None if speed is None else count / speed
