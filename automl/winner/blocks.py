"""Which test rows are drawn together: those of a group, and windows of a forecast, which overlap in time. Knows no metric.

A circular block bootstrap: Künsch, "The jackknife and the bootstrap for general stationary observations" (Annals of Statistics 17,
1989); Politis and Romano, "A circular block-resampling procedure for stationary data" (1992).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FEWEST_BLOCKS = 3
"""Windows that must fit into the test part's time end to end. Where fewer do, blocks of time say nothing, and whole series are drawn."""
_FEWEST_SERIES = 10
"""So many series there must be to draw whole ones; of fewer, blocks of time are drawn all the same."""
_BLOCKS_LEFT = 4
"""A block may be longer than one window only while so many are left: a longer one is better, since even windows that share no step are
alike when they lie close, but the spread of two or three blocks cannot be seen."""
_TAIL, _Z = 0.025, 1.959964
"""What a 95 % interval leaves out at either end, and how many standard errors of the normal distribution that end lies off its middle."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Rows in units that are drawn as a whole, and how many neighbouring units make a block, which is drawn at once.

    Where rows have groups, a unit is a group, and each is drawn by itself (cluster bootstrap: Davison and Hinkley, "Bootstrap Methods
    and their Application", 1997, section 3.8). Of a forecast a unit is a moment, with the windows of all series that are predicted from
    it. A block is as long as two windows, since that one block after another still cuts through windows, or as the cube root of the
    moments; but only as long as one window where it would leave fewer than four blocks. A test part that is hardly longer than a window
    says nothing about other times: there a unit is a series, with all of its windows, where there are ten or more.
    """

    unit: np.ndarray
    """(rows,) the number of each row's unit, from 0; of a forecast in order of time."""
    units: int
    """How many there are."""
    length: int
    """Units in a block."""

    @classmethod
    def of(cls, clusters: np.ndarray) -> Blocks:
        """Divide rows into units. `clusters` is (rows,) the group of each row, or (rows, 3) of a forecast's windows.

        A window's three numbers: when what is predicted begins, when it ends, and which series it is of.
        """
        if clusters.ndim == 1:
            groups, group = np.unique(clusters, return_inverse=True)
            return cls(group, len(groups), 1)
        return cls._of_windows(clusters)

    @classmethod
    def _of_windows(cls, spans: np.ndarray) -> Blocks:
        """`overlap` is a window's length in moments: how many windows of a series, begun one after another, share a step with it."""
        moments, moment = np.unique(spans[:, 0], return_inverse=True)
        series, whose = np.unique(spans[:, 2], return_inverse=True)
        ahead = np.searchsorted(moments, spans[:, 1], side="right") - moment
        whole = spans[:, 1] <= moments[-1]  # the others are cut short by the part's end
        overlap = int(np.median(ahead[whole]) if whole.any() else ahead.max())
        if len(moments) < FEWEST_BLOCKS * overlap and len(series) >= _FEWEST_SERIES:
            return cls(whose, len(series), 1)
        wished = max(2 * overlap, math.ceil(len(moments) ** (1 / 3)))
        length = max(overlap, min(wished, len(moments) // _BLOCKS_LEFT))
        return cls(moment, len(moments), max(1, min(length, len(moments) // 2)))

    @property
    def widening(self) -> float:
        """Return the factor by which an interval must be wider than its quantiles, since a few blocks hardly show their own spread.

        Student's t for the normal distribution, and the variance divided by one less (Hesterberg, "What Teachers Should Know
        About the Bootstrap", 2015, section 5.3).
        """
        from scipy.special import stdtrit

        blocks = max(2.0, self.units / self.length)
        return float(math.sqrt(blocks / (blocks - 1)) * -stdtrit(blocks - 1, _TAIL) / _Z)

    def counts(self, resamples: int, rng: np.random.Generator) -> np.ndarray:
        """Draw blocks until there are as many units as rows have; returns (resamples, rows), how often each row was drawn.

        A block that begins near the end goes on at the beginning, so that every unit is drawn equally often.
        """
        starts = rng.integers(0, self.units, size=(resamples, -(-self.units // self.length)))
        drawn = (starts[:, :, None] + np.arange(self.length)).reshape(resamples, -1)[:, : self.units] % self.units
        drawn += self.units * np.arange(resamples)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=resamples * self.units).reshape(resamples, self.units)
        return counts[:, self.unit]

    def first(self, rows: int) -> tuple[Blocks, np.ndarray]:
        """Return the first units that together have at most so many rows, but two at least, and (rows,) whether each row is in one."""
        held = np.bincount(self.unit, minlength=self.units).cumsum()
        units = max(2, int(np.searchsorted(held, rows, side="right")))
        chosen = self.unit < units
        return Blocks(self.unit[chosen], min(units, self.units), self.length), chosen

    def stretches(self, many: int) -> np.ndarray:
        """Return (rows,) to which of `many` equally long stretches of neighbouring units each row belongs, from 0."""
        return self.unit * many // self.units
