"""Windows of a series from which the next steps are predicted, and the units in which they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .cells import CellError
from .number import FARTHEST
from .steps import SeriesError, Steps, filled
from .timeline import moments_in, rows_by_id, spelled, steps_at


@dataclass(frozen=True)
class Forecast(Steps):
    """The newest steps of a series, from which the next ones are predicted: each channel less its own level, over its own scale.

    What is to be learned is expressed as a difference from a base, over the same scale, so that trends, shifts of the level and series of
    all sizes look alike (compare reversible instance normalization, Kim et al. 2022). The base of a step is the mean of the last
    season and what is usual at that place in the season; without a season it is the last value. The first of
    `columns` is predicted; of the others the past is read, or of those that are known `ahead` the newest steps up to the last that is
    predicted: such a channel is shifted by the horizon, so that it has as many steps as the others. It is divided by a scale
    that is the same for all windows: a promotion means as much whether a window holds one or five.
    """

    kind: ClassVar[str] = "forecast"
    horizon: int
    """Steps that are predicted."""
    season: int = 1
    """Steps after which the series resembles itself; 1 where it has no season."""
    least: float = 1.0
    """A window that varies less is divided by this scale."""
    calendar: str = "rows"
    """What a step is: `rows` as they come, `even` (`beat` seconds or numbers), `months` (`beat` of them) or `weekdays`."""
    beat: float = 1.0
    ahead: tuple[str, ...] = ()
    """Those of `columns` that are known for the steps that are predicted."""
    ahead_scales: tuple[float, ...] = ()
    """Of these: how far they usually lie from a window's mean."""

    def lines(self, cells: Mapping[str, Any]) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """Cells by column -> per id its name, its rows in order of time, and which step each is, from 0 on.

        Raises CellError for a missing id or time, and where two rows of an id fall on one step.
        """
        ids, places = rows_by_id(cells, self.id, self.time, self.formats, self.utc, self.time_spelling)
        moments = np.arange(float(sum(map(len, places))))
        if self.time:
            moments = moments_in(cells, self.time, self.formats, self.utc, self.time_spelling)
        found = []
        for name, rows in zip(ids, places, strict=True):
            steps = steps_at(moments[rows], self.calendar, self.beat)
            same = np.flatnonzero(np.diff(steps) <= 0)
            if len(same):
                first, second = rows[same[0]], rows[same[0] + 1]
                wanted = f"a step of its own: row {first + 1} is at the same one{f' of {name!r}' if self.id else ''}"
                raise CellError(
                    self.time, int(second), spelled(np.asarray(cells[self.time])[second], self.formats), wanted
                )
            found.append((name, rows, steps))
        return found

    def gather(self, cells: Mapping[str, Any]) -> tuple[tuple[str, ...], np.ndarray]:
        """Cells by column -> ids in order of appearance (none without an id), and the newest steps of each (series, width).

        The history ends with the last known cell of what is predicted; where columns are known ahead, rows must follow.
        Raises CellError as `lines` does, and SeriesError for a history that is too short or empty, or a future that is too short.
        """
        values = self.values_in(cells)
        windows, ids = [], []
        for name, rows, steps in self.lines(cells):
            whose = f" of {name!r}" if self.id else ""
            now = self._last_known(values[0, rows], steps, whose)
            if now + 1 < self.steps:
                raise SeriesError(
                    f"the history{whose} has {now + 1} steps, but the last {self.steps} are read. Give more of its past"
                )
            span = np.full((self.channels, self.steps + self.horizon), np.nan)
            places = steps - now + self.steps - 1
            inside = (places >= 0) & (places < span.shape[1])
            span[:, places[inside]] = values[:, rows[inside]]
            windows.append(self.read(span).ravel())
            ids.append(name)
        return tuple(ids) if self.id else (), np.array(windows)

    def read(self, spans: np.ndarray) -> np.ndarray:
        """(…, channels, steps + horizon) -> (…, channels, steps): the past, or of columns that are known ahead the newest steps."""
        is_ahead = np.isin(self.columns, self.ahead)[:, None]
        return np.where(is_ahead, spans[..., self.horizon :], spans[..., : self.steps])

    def _last_known(self, target: np.ndarray, steps: np.ndarray, whose: str) -> int:
        """Return the last step of the history."""
        known = np.flatnonzero(~np.isnan(target))
        if not len(known):
            raise SeriesError(f"column '{self.columns[0]}'{whose} is empty. Give its past")
        now = int(steps[known[-1]])
        if self.ahead and steps[-1] - now < self.horizon:
            raise SeriesError(
                f"rows go on for {steps[-1] - now} steps after the last known '{self.columns[0]}'{whose}, but {self.horizon} are "
                f"predicted. Give a row for each, with {' and '.join(map(repr, self.ahead))}, and leave '{self.columns[0]}' empty there"
            )
        return now

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(windows, width) -> (windows, *encoded_shape)."""
        values = self.known(cells)
        levels = values.mean(axis=2, keepdims=True)
        levels[:, 0] = self._season(values[:, 0])[0]
        placed = np.clip((values - levels) / self._scales(values), -FARTHEST, FARTHEST)
        return self.marked(placed, self.by_channel(cells))

    def units(self, rows: np.ndarray) -> np.ndarray:
        """(windows, width) -> (windows, horizon + 1): the base of each step that is predicted, then the scale."""
        values = self.known(rows)
        level, profile = self._season(values[:, 0])
        base = level + profile[:, np.arange(self.horizon) % self.season]
        return np.concatenate([base, self._scales(values)[:, 0]], axis=1)

    def known(self, rows: np.ndarray) -> np.ndarray:
        """(windows, width) -> (windows, channels, steps) without gaps; a channel that is missing altogether is 0."""
        return np.nan_to_num(filled(self.by_channel(rows)), nan=0.0)

    def _season(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(windows, steps) -> level of the last season (windows, 1), and what is usual at its places (windows, season)."""
        whole = self.steps // self.season * self.season
        seasons = values[:, self.steps - whole :].reshape(len(values), -1, self.season)
        means = seasons.mean(axis=2, keepdims=True)
        return means[:, -1], (seasons - means).mean(axis=1)

    def _scales(self, values: np.ndarray) -> np.ndarray:
        """(windows, channels, 1). `least` is about the channel that is predicted."""
        scales = values.std(axis=2, keepdims=True)
        scales[:, 0] = np.maximum(scales[:, 0], self.least)
        for name, scale in zip(self.ahead, self.ahead_scales, strict=True):
            scales[:, self.columns.index(name)] = scale
        return np.where(scales > 0, scales, 1.0)
