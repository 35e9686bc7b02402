"""Series of which each is one row for a model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .number import scaled
from .steps import Steps, filled
from .timeline import rows_by_id


@dataclass(frozen=True)
class Series(Steps):
    """Numbers in order of time, in one channel or several: less the mean, over the scale, of each channel.

    A series is a row with a column per step (wide), or all rows of one id in order of time (long). Gaps between known steps lie on
    the line between these; what lies before the first known step is 0. A shorter series than is read has gaps before it.
    """

    kind: ClassVar[str] = "series"
    means: tuple[float, ...] = (0.0,)
    """Per channel."""
    scales: tuple[float, ...] = (1.0,)
    every: int = 1
    """Neighbouring steps of which the mean is taken, so that long series stay short enough to be learned from."""
    is_long: bool = False

    @property
    def channels(self) -> int:
        """Numbers at each step."""
        return len(self.columns) if self.is_long else 1

    @property
    def encoded_shape(self) -> tuple[int, ...]:
        """(channels, steps) of an encoded series."""
        return self.channels + self.gaps, math.ceil(self.steps / self.every)

    def gather(self, cells: Mapping[str, Any]) -> tuple[tuple[str, ...], np.ndarray]:
        """Cells by column -> ids in order of appearance (none of wide rows), and (series, width), channel by channel.

        Raises CellError for a missing id or time, and where two rows of an id have one time.
        """
        values = self.values_in(cells)
        if not self.is_long:
            return (), values.T
        ids, places = rows_by_id(cells, self.id, self.time, self.formats, self.utc, self.time_spelling)
        series = np.full((len(ids), self.channels, self.steps), np.nan)
        for row, found in zip(series, places, strict=True):
            newest = found[-self.steps :]
            row[:, self.steps - len(newest) :] = values[:, newest]
        return ids, series.reshape(len(ids), -1)

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(series, width) -> (series, *encoded_shape)."""
        values = _pooled(self.by_channel(cells), self.every)
        placed = scaled(filled(values), np.reshape(self.means, (-1, 1)), np.reshape(self.scales, (-1, 1)))
        placed = np.where(np.cumsum(~np.isnan(values), axis=2) > 0, placed, 0.0)
        return self.marked(placed, values)


def _pooled(values: np.ndarray, every: int) -> np.ndarray:
    """Means of what is known of so many neighbouring steps; the oldest group may have fewer."""
    if every == 1:
        return values
    rows, channels, steps = values.shape
    padded = np.full((rows, channels, -(-steps // every) * every), np.nan)
    padded[:, :, padded.shape[2] - steps :] = values
    groups = padded.reshape(rows, channels, -1, every)
    known = ~np.isnan(groups)
    count = known.sum(axis=3)
    return np.where(count > 0, np.where(known, groups, 0.0).sum(axis=3) / np.maximum(count, 1), np.nan)
