"""Numbers at steps in order of time: what series and forecasts share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from .cells import numbers
from .encoder import WholeEncoder


class SeriesError(ValueError):
    """Rows of a series are no history that a forecast can be made from."""


@dataclass(frozen=True)
class Steps(WholeEncoder):
    """The newest steps of one channel or several, from columns of a table. An array of them is (series, width), channel by channel."""

    columns: tuple[str, ...]
    """Where the numbers stand: a name per channel, or of wide rows per step, in order of time."""
    steps: int
    """The newest ones, which are read."""
    _: KW_ONLY
    gaps: bool = False
    """Whether training rows had gaps: then a last channel is the share of channels that are missing at a step."""
    id: str = ""
    """Column that says which series a row is of. Empty: all rows are one series."""
    time: str = ""
    """Column that orders the rows. Empty: they are in order."""
    formats: tuple[str, ...] = ()
    """Of a time that is a date; empty where it is a number."""
    utc: bool = False
    """Whether a time zone counts, as in `Date.utc`."""
    time_spelling: str = ""
    """Of a time that is a number: how its cells are written, as `number_in` takes it."""
    blanks: tuple[str, ...] = ()
    """Words besides `BLANKS` that mean a gap."""

    @property
    def is_long(self) -> bool:
        """Whether it takes several rows of a table to make a series."""
        return True

    @property
    def channels(self) -> int:
        """Numbers at each step."""
        return len(self.columns)

    @property
    def width(self) -> int:
        """Numbers of a whole series."""
        return self.channels * self.steps

    @property
    def raw_columns(self) -> tuple[str, ...]:
        """Columns that a table of new rows must have."""
        return (*filter(None, (self.id, self.time)), *self.columns)

    @property
    def encoded_shape(self) -> tuple[int, ...]:
        """(channels, steps) of an encoded series."""
        return self.channels + self.gaps, self.steps

    def values_in(self, cells: Mapping[str, Any]) -> np.ndarray:
        """Cells by column -> (columns, rows). Raises CellError."""
        return np.stack([numbers(np.asarray(cells[name]), name, self.blanks) for name in self.columns])

    def by_channel(self, rows: np.ndarray) -> np.ndarray:
        """(series, width) -> float64 (series, channels, steps)."""
        return np.asarray(rows, dtype=np.float64).reshape(-1, self.channels, self.steps)

    def marked(self, encoded: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Add, where training rows had gaps, the channel that says where `values` (series, channels, steps) have them."""
        if not self.gaps:
            return encoded
        return np.concatenate([encoded, np.isnan(values).mean(axis=1, keepdims=True)], axis=1)


def filled(values: np.ndarray) -> np.ndarray:
    """Gaps along the last axis: on the line between what is known, beyond its ends as these are; NaN where nothing is known."""
    known = ~np.isnan(values)
    if known.all():
        return values
    last = values.shape[-1] - 1
    places = np.arange(last + 1)
    before = np.maximum.accumulate(np.where(known, places, -1), axis=-1)
    after = np.minimum.accumulate(np.where(known, places, last + 1)[..., ::-1], axis=-1)[..., ::-1]
    low = np.take_along_axis(values, np.where(before < 0, np.minimum(after, last), before), axis=-1)
    high = np.take_along_axis(values, np.where(after > last, np.maximum(before, 0), after), axis=-1)
    share = np.where((before >= 0) & (after <= last), (places - before) / np.maximum(after - before, 1), 0.0)
    return np.asarray(low + share * (high - low))
