"""Which test rows are drawn together: those of a group, and windows of a forecast, which overlap in time. Knows no metric.

A circular block bootstrap: Künsch, "The jackknife and the bootstrap for general stationary observations" (Annals of Statistics 17,
1989); Politis and Romano, "A circular block-resampling procedure for stationary data" (1992).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FEWEST_BLOCKS = 3
"""With fewer, and enough series, whole series are drawn."""
_FEWEST_SERIES = 10
_ENOUGH_BLOCKS = 4
"""Of which blocks may be longer than the overlap: what lies next to each other beyond it is still alike."""
_Z, _TAIL = 1.959964, 0.025


@dataclass(frozen=True, slots=True)
class Blocks:
    """Rows in units that are never torn apart, and how many neighbouring units are drawn at once.

    Where rows have groups, a unit is a group, and each is drawn by itself (cluster bootstrap: Davison and Hinkley, "Bootstrap Methods
    and their Application", 1997, section 3.8). Of a forecast a unit is a moment, with the windows of all series that are predicted from
    it. A block is as long as two windows, since that one block after another still cuts through windows, or as the cube root of the
    moments; but only as long as one window where it would leave fewer than four blocks. A test part that is hardly longer than a window
    says nothing about other times: there a unit is a series, with all of its windows, where there are ten or more.
    """

    unit: np.ndarray
    """(rows,) numbers from 0; of a forecast in order of time."""
    units: int
    length: int

    @classmethod
    def of(cls, clusters: np.ndarray) -> Blocks:
        """Take rows apart by their groups (rows,), or windows by when what is predicted begins and ends, and by series (rows, 3)."""
        if clusters.ndim == 1:
            groups, group = np.unique(clusters, return_inverse=True)
            return cls(group, len(groups), 1)
        return cls._of_windows(clusters)

    @classmethod
    def _of_windows(cls, spans: np.ndarray) -> Blocks:
        moments, moment = np.unique(spans[:, 0], return_inverse=True)
        series, whose = np.unique(spans[:, 2], return_inverse=True)
        ahead = np.searchsorted(moments, spans[:, 1], side="right") - moment
        whole = spans[:, 1] <= moments[-1]  # the others are cut short by the part's end
        overlap = int(np.median(ahead[whole]) if whole.any() else ahead.max())
        if len(moments) < FEWEST_BLOCKS * overlap and len(series) >= _FEWEST_SERIES:
            return cls(whose, len(series), 1)
        wished = max(2 * overlap, math.ceil(len(moments) ** (1 / 3)))
        length = max(overlap, min(wished, len(moments) // _ENOUGH_BLOCKS))
        return cls(moment, len(moments), max(1, min(length, len(moments) // 2)))

    @property
    def widening(self) -> float:
        """How much wider than its quantiles an interval must be, since so few blocks hardly show their own spread.

        Student's t for the normal distribution, and the variance divided by one less (Hesterberg, "What Teachers Should Know
        About the Bootstrap", 2015, section 5.3).
        """
        from scipy.special import stdtrit

        blocks = max(2.0, self.units / self.length)
        return float(math.sqrt(blocks / (blocks - 1)) * -stdtrit(blocks - 1, _TAIL) / _Z)

    def counts(self, resamples: int, rng: np.random.Generator) -> np.ndarray:
        """Draw blocks, around the end to the beginning, as many units as there are: (resamples, rows), how often each row is drawn."""
        starts = rng.integers(0, self.units, size=(resamples, -(-self.units // self.length)))
        drawn = (starts[:, :, None] + np.arange(self.length)).reshape(resamples, -1)[:, : self.units] % self.units
        drawn += self.units * np.arange(resamples)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=resamples * self.units).reshape(resamples, self.units)
        return counts[:, self.unit]

    def first(self, rows: int) -> tuple[Blocks, np.ndarray]:
        """Return the first units, as many as hold so many rows but two at least, and (rows,) which rows they have."""
        held = np.bincount(self.unit, minlength=self.units).cumsum()
        units = max(2, int(np.searchsorted(held, rows, side="right")))
        chosen = self.unit < units
        return Blocks(self.unit[chosen], min(units, self.units), self.length), chosen

    def stretches(self, many: int) -> np.ndarray:
        """(rows,) to which of so many equal stretches of neighbouring units each row belongs."""
        return self.unit * many // self.units
