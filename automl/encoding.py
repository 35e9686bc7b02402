"""Fitted preprocessing: raw cells in, a model's numbers out. NumPy and the standard library alone: it is copied beside exported models.

Cells of a column are an array (rows,) of float64 with NaN where a value is missing, or of objects: text, numbers, None. What a
column has learned from the training rows is plain data, so it travels as JSON; nothing here learns.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

Raw = Any
"""Rows as they came: a mapping from a column's name to its cells (a pandas frame is one), or an array (rows, columns)."""

BLANKS = frozenset(
    {
        "",
        "na",
        "n/a",
        "nan",
        "null",
        "none",
        "?",
        "-",
        "--",
        ".",
        "<na>",
        "nat",
        "missing",
        "#n/a",
        "#na",
        "#null!",
        "#value!",
        "#div/0!",
    }
)
"""Words, in lower case, that mean a missing number or date."""
ISO = "iso"
"""A date as 2026-11-25, with or without a time."""
_DAY, _WEEK, _YEAR = 86_400.0, 7 * 86_400.0, 365.2425 * 86_400.0
_FARTHEST = 1e6
"""A new value that lies more scales than this from the mean would overflow a model's float32; it counts as this far."""
_WORD = re.compile(r"\w+")
_OVERFLOW = re.compile(r"[+-]?(\d[\d.]*e[+-]?\d+|\d+(\.\d*)?|inf(inity)?)", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
TOKEN = re.compile(r"\w+|[^\w\s]")
"""A word or a single mark of a text that is read whole."""


class CellError(ValueError):
    """A cell is not what its column holds."""

    def __init__(self, column: str, row: int, cell: object, wanted: str) -> None:
        super().__init__(f"column '{column}', row {row + 1}: {str(cell)[:80]!r} is not {wanted}")
        self.column, self.row, self.cell, self.wanted = column, row, cell, wanted


class SeriesError(ValueError):
    """Rows of a series are no history that a forecast can be made from."""


@dataclass(frozen=True)
class Number:
    """A number, scaled to about N(0, 1): less the mean, over the scale; or along knots where the tails are heavy."""

    kind: ClassVar[str] = "number"
    name: str
    mean: float = 0.0
    scale: float = 1.0
    knots: tuple[float, ...] = ()
    """Raw values in rising order; between them the map to `heights` is linear, beyond them constant."""
    heights: tuple[float, ...] = ()
    gaps: bool = False
    """Whether training rows had gaps: then a second feature is 1 where the value is missing."""
    blanks: tuple[str, ...] = ()
    """Words besides `BLANKS` that mean a missing value in this column."""
    spelling: str = ""
    """How its text cells are written, as `number_in` takes it."""

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """0 per feature: numbers."""
        return (0, 0) if self.gaps else (0,)

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(rows,) -> (rows, 1 or 2); a missing value is 0."""
        values = numbers(cells, self.name, self.blanks, self.spelling)
        known = ~np.isnan(values)
        scaled = np.interp(values, self.knots, self.heights) if self.knots else _scaled(values, self.mean, self.scale)
        features = [np.where(known, scaled, 0.0)] + ([(~known).astype(np.float64)] if self.gaps else [])
        return np.column_stack(features)


@dataclass(frozen=True)
class Category:
    """One of several levels, as a code: 0 for a missing or unseen one, then 1, 2, ... as listed."""

    kind: ClassVar[str] = "category"
    name: str
    levels: tuple[str, ...]

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Levels and the code 0."""
        return (len(self.levels) + 1,)

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(rows,) -> (rows, 1)."""
        codes = {level: place for place, level in enumerate(self.levels, 1)}
        return np.array(
            [codes.get(word, 0) if word is not None else 0 for word in words(cells)], dtype=np.float64
        ).reshape(-1, 1)


@dataclass(frozen=True)
class Date:
    """A moment: its scaled time, and where it stands in the year, the week and, if the column has hours, the day."""

    kind: ClassVar[str] = "date"
    name: str
    formats: tuple[str, ...]
    """`iso`, or formats of `strptime`, tried in turn."""
    mean: float = 0.0
    scale: float = 1.0
    hours: bool = False
    gaps: bool = False

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """0 per feature: numbers."""
        return (0,) * (5 + 2 * self.hours + self.gaps)

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(rows,), text or seconds since 1970 -> (rows, 5 to 8): time, sine and cosine of cycles, and 1 where it is missing."""
        moments = cells if cells.dtype == np.float64 else seconds(cells, self.formats, self.name)
        known = ~np.isnan(moments)
        features = [(moments - self.mean) / self.scale]
        for cycle in (_YEAR, _WEEK, *((_DAY,) if self.hours else ())):
            angle = 2 * math.pi * (moments % cycle) / cycle
            features += [np.sin(angle), np.cos(angle)]
        features = [np.where(known, feature, 0.0) for feature in features]
        return np.column_stack(features + ([(~known).astype(np.float64)] if self.gaps else []))


@dataclass(frozen=True)
class Text:
    """Free text among other columns: its words' weights, brought to a few numbers, and its length.

    Term frequency times inverse document frequency, scaled to unit length, then the first components of a singular value
    decomposition (latent semantic analysis, Deerwester et al. 1990).
    """

    kind: ClassVar[str] = "text"
    name: str
    terms: tuple[str, ...]
    """Words, and pairs of neighbours joined by a space."""
    weights: tuple[float, ...]
    """Inverse document frequency of each term."""
    components: tuple[tuple[float, ...], ...]
    """Per term, what it adds to each feature."""

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """0 per feature: numbers."""
        return (0,) * (len(self.components[0]) + 1)

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(rows,) -> (rows, components + 1)."""
        places = {term: place for place, term in enumerate(self.terms)}
        weights, components = np.array(self.weights), np.array(self.components)
        features = np.zeros((len(cells), components.shape[1] + 1))
        for row, text in enumerate(words(cells)):
            found = Counter(place for term in terms_of(text or "") if (place := places.get(term)) is not None)
            features[row, -1] = math.log1p(len(text or "")) / 4.0 - 1.0
            if found:
                chosen = np.fromiter(found, dtype=np.int64)
                values = (1.0 + np.log(np.fromiter(found.values(), dtype=np.float64))) * weights[chosen]
                features[row, :-1] = values @ components[chosen] / math.sqrt(values @ values)
        return features


@dataclass(frozen=True)
class Words:
    """A text that is the whole input, as codes of its words: 0 fills up, 1 is an unknown word, then as listed."""

    kind: ClassVar[str] = "words"
    name: str
    vocabulary: tuple[str, ...]
    length: int
    """Words that are read; what follows is cut."""

    @property
    def size(self) -> int:
        """Number of codes."""
        return len(self.vocabulary) + 2

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(rows,) -> (rows, length)."""
        codes = {word: place for place, word in enumerate(self.vocabulary, 2)}
        encoded = np.zeros((len(cells), self.length))
        for row, text in enumerate(words(cells)):
            found = [codes.get(token, 1) for token in tokens_of(text or "")[: self.length]]
            encoded[row, : len(found)] = found
        return encoded


@dataclass(frozen=True)
class Grid:
    """Numbers that belong together, such as pixels: less the mean, over the scale, of each channel."""

    kind: ClassVar[str] = "grid"
    columns: tuple[str, ...]
    """Name of each number, row by row, channel by channel."""
    shape: tuple[int, ...]
    means: tuple[float, ...]
    """Per channel: the first of `shape`."""
    scales: tuple[float, ...]

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """(rows, numbers) or (rows, *shape) -> (rows, *shape); a missing value is 0."""
        axes = (-1,) + (1,) * (len(self.shape) - 1)
        values = np.asarray(rows, dtype=np.float64).reshape(-1, *self.shape)
        values = _scaled(values, np.reshape(self.means, axes), np.reshape(self.scales, axes))
        return np.nan_to_num(values, nan=0.0)


@dataclass(frozen=True)
class Series:
    """Numbers in order of time, in one channel or several: less the mean, over the scale, of each channel.

    A series is a row with a column per step (wide), or all rows of one id in order of time (long). Gaps between known steps lie on
    the line between these; what lies before the first known step is 0.
    """

    kind: ClassVar[str] = "series"
    columns: tuple[str, ...]
    """Of wide rows a name per step, in order of time; of long ones a name per channel."""
    steps: int
    """The newest ones are read; a shorter series has gaps before it."""
    means: tuple[float, ...] = (0.0,)
    """Per channel."""
    scales: tuple[float, ...] = (1.0,)
    every: int = 1
    """Neighbouring steps of which the mean is taken, so that long series stay short enough to be learned from."""
    gaps: bool = False
    """Whether training rows had gaps: then a last channel is the share of channels that are missing at a step."""
    is_long: bool = False
    id: str = ""
    """Of long rows: the column that says which series a row is of. Empty: all rows are one series."""
    time: str = ""
    """Of long rows: the column that orders them. Empty: they are in order."""
    formats: tuple[str, ...] = ()
    """Of a time that is a date; empty where it is a number."""
    blanks: tuple[str, ...] = ()
    """Words besides `BLANKS` that mean a gap."""

    @property
    def channels(self) -> int:
        """Numbers at each step."""
        return len(self.columns) if self.is_long else 1

    @property
    def width(self) -> int:
        """Numbers of a whole series."""
        return self.channels * self.steps

    @property
    def raw_columns(self) -> tuple[str, ...]:
        """Columns that a table of new rows must have."""
        return (*filter(None, (self.id, self.time)), *self.columns)

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, steps) of an encoded series."""
        return self.channels + self.gaps, math.ceil(self.steps / self.every)

    def gather(self, cells: Mapping[str, Any]) -> tuple[tuple[str, ...], np.ndarray]:
        """Cells by column -> ids in order of appearance (none of wide rows), and (series, width), channel by channel.

        Raises CellError for a missing id or time, and where two rows of an id have one time.
        """
        values = np.stack(
            [numbers(np.asarray(cells[name]), name, self.blanks) for name in self.columns]
        )  # (columns, rows)
        if not self.is_long:
            return (), values.T
        ids, places = rows_by_id(cells, self.id, self.time, self.formats)
        series = np.full((len(ids), self.channels, self.steps), np.nan)
        for row, found in zip(series, places, strict=True):
            newest = found[-self.steps :]
            row[:, self.steps - len(newest) :] = values[:, newest]
        return ids, series.reshape(len(ids), -1)

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """(series, width) -> (series, *shape)."""
        values = np.asarray(rows, dtype=np.float64).reshape(-1, self.channels, self.steps)
        values = _pooled(values, self.every)
        known = ~np.isnan(values)
        scaled = _scaled(filled(values), np.reshape(self.means, (-1, 1)), np.reshape(self.scales, (-1, 1)))
        scaled = np.where(np.cumsum(known, axis=2) > 0, scaled, 0.0)
        return np.concatenate([scaled, (~known).mean(axis=1, keepdims=True)], axis=1) if self.gaps else scaled


@dataclass(frozen=True)
class Forecast:
    """The newest steps of a series, from which the next ones are predicted: each channel less its own level, over its own scale.

    What is to be learned is told as a difference from a base, over the same scale, so that trends, shifts of the level and series of
    all sizes look alike (compare reversible instance normalization, Kim et al. 2022). The base of a step is the mean of the last
    season and what is usual at that place in the season; without a season it is the last value.
    """

    kind: ClassVar[str] = "forecast"
    columns: tuple[str, ...]
    """The series that is predicted, then others whose past is read."""
    steps: int
    """Steps that are read."""
    horizon: int
    """Steps that are predicted."""
    season: int = 1
    """Steps after which the series resembles itself; 1 where it has no season."""
    least: float = 1.0
    """A window that varies less is told over this scale."""
    gaps: bool = False
    """Whether training rows had gaps: then a last channel is the share of channels that are missing at a step."""
    id: str = ""
    """Column that says which series a row is of. Empty: all rows are one series."""
    time: str = ""
    formats: tuple[str, ...] = ()
    """Of a time that is a date; empty where it is a number."""
    calendar: str = "rows"
    """What a step is: `rows` as they come, `even` (`beat` seconds or numbers), `months` (`beat` of them) or `weekdays`."""
    beat: float = 1.0
    blanks: tuple[str, ...] = ()
    """Words besides `BLANKS` that mean a gap."""

    @property
    def channels(self) -> int:
        """Numbers at each step."""
        return len(self.columns)

    @property
    def width(self) -> int:
        """Numbers of a whole window."""
        return self.channels * self.steps

    @property
    def raw_columns(self) -> tuple[str, ...]:
        """Columns that a table of new rows must have."""
        return (*filter(None, (self.id, self.time)), *self.columns)

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, steps) of an encoded window."""
        return self.channels + self.gaps, self.steps

    def lines(self, cells: Mapping[str, Any]) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """Cells by column -> per id its name, its rows in order of time, and which step each is, from 0 on.

        Raises CellError for a missing id or time, and where two rows of an id fall on one step.
        """
        ids, places = rows_by_id(cells, self.id, self.time, self.formats)
        moments = moments_in(cells, self.time, self.formats) if self.time else np.arange(float(sum(map(len, places))))
        found = []
        for name, rows in zip(ids, places, strict=True):
            steps = steps_at(moments[rows], self.calendar, self.beat)
            same = np.flatnonzero(np.diff(steps) <= 0)
            if len(same):
                first, second = rows[same[0]], rows[same[0] + 1]
                wanted = f"a step of its own: row {first + 1} is at the same one{f' of {name!r}' if self.id else ''}"
                raise CellError(self.time, int(second), np.asarray(cells[self.time])[second], wanted)
            found.append((name, rows, steps))
        return found

    def gather(self, cells: Mapping[str, Any]) -> tuple[tuple[str, ...], np.ndarray]:
        """Cells by column -> ids in order of appearance (none without an id), and the newest steps of each (series, width).

        Raises CellError as `lines` does, and SeriesError for a history that is too short or empty.
        """
        values = np.stack([numbers(np.asarray(cells[name]), name, self.blanks) for name in self.columns])
        windows, ids = [], []
        for name, rows, steps in self.lines(cells):
            whose = f" of {name!r}" if self.id else ""
            ago = steps[-1] - steps
            if ago[0] + 1 < self.steps:
                raise SeriesError(f"the history{whose} has {ago[0] + 1} steps, but the last {self.steps} are read")
            window = np.full((self.channels, self.steps), np.nan)
            newest = ago < self.steps
            window[:, self.steps - 1 - ago[newest]] = values[:, rows[newest]]
            if np.isnan(window[0]).all():
                raise SeriesError(f"column '{self.columns[0]}' is empty in the last {self.steps} steps{whose}")
            windows.append(window.ravel())
            ids.append(name)
        return tuple(ids) if self.id else (), np.array(windows)

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """(windows, width) -> (windows, *shape)."""
        values = self.known(rows)
        levels = values.mean(axis=2, keepdims=True)
        levels[:, 0] = self._season(values[:, 0])[0]
        scaled = np.clip((values - levels) / self._scales(values), -_FARTHEST, _FARTHEST)
        if not self.gaps:
            return scaled
        missing = np.isnan(np.reshape(rows, (-1, self.channels, self.steps)).astype(np.float64))
        return np.concatenate([scaled, missing.mean(axis=1, keepdims=True)], axis=1)

    def units(self, rows: np.ndarray) -> np.ndarray:
        """(windows, width) -> (windows, horizon + 1): the base of each step that is predicted, then the scale."""
        values = self.known(rows)
        level, profile = self._season(values[:, 0])
        base = level + profile[:, np.arange(self.horizon) % self.season]
        return np.concatenate([base, self._scales(values)[:, 0]], axis=1)

    def known(self, rows: np.ndarray) -> np.ndarray:
        """(windows, width) -> (windows, channels, steps) without gaps; a channel that is missing altogether is 0."""
        values = np.asarray(rows, dtype=np.float64).reshape(-1, self.channels, self.steps)
        return np.nan_to_num(filled(values), nan=0.0)

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
        return np.where(scales > 0, scales, 1.0)


Encoder = Number | Category | Date | Text | Words | Grid | Series | Forecast
KINDS: dict[str, type[Encoder]] = {
    one.kind: one for one in (Number, Category, Date, Text, Words, Grid, Series, Forecast)
}
Whole = Grid | Words | Series | Forecast
"""Encoders of the whole input, each of which stands alone."""


def encoder_from(document: Mapping[str, Any]) -> Encoder:
    """Rebuild an encoder from its JSON form. Raises KeyError or TypeError for what is none."""
    fields = {name: _frozen(value) for name, value in document.items() if name != "kind"}
    return KINDS[document["kind"]](**fields)


def encode(encoders: Sequence[Encoder], raw: Raw) -> np.ndarray:
    """Rows -> float32 (rows, *shape), the encoders' features side by side. Raises CellError."""
    first = encoders[0]
    if isinstance(first, Grid):
        rows = raw if isinstance(raw, np.ndarray) else np.column_stack([numbers(raw[n], n) for n in first.columns])
        return first.encode(rows).astype(np.float32)
    if isinstance(first, Series | Forecast):
        return first.encode(gathered(encoders, raw)[1]).astype(np.float32)
    named = [one for one in encoders if not isinstance(one, Grid | Series | Forecast)]
    if isinstance(raw, np.ndarray):
        raw = {encoder.name: raw[:, place] for place, encoder in enumerate(named)}
    features = [one.encode(np.asarray(raw[one.name])) for one in named]
    return np.hstack([np.asarray(each, dtype=np.float32) for each in features])


def gathered(encoders: Sequence[Encoder], raw: Raw) -> tuple[tuple[str, ...], Raw]:
    """Rows as they came -> ids, and a row per series; all but long rows come back as they are, without ids. Raises CellError."""
    first = encoders[0]
    if isinstance(raw, np.ndarray) or not isinstance(first, Series | Forecast):
        return (), raw
    return first.gather(raw)


def units(encoders: Sequence[Encoder], raw: Raw) -> np.ndarray | None:
    """What a forecast's outputs are told in, (rows, horizon + 1): see `Forecast.units`; None where that is one for all rows."""
    first = encoders[0]
    return first.units(gathered(encoders, raw)[1]) if isinstance(first, Forecast) else None


def in_units(outputs: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Differences from the base, over the scale (rows, horizon) -> numbers in the target's own units."""
    return np.asarray(outputs * told[:, -1:] + told[:, :-1])


def rows_by_id(
    cells: Mapping[str, Any], id: str, time: str, formats: Sequence[str]
) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """Return ids in order of appearance, and the places of each one's rows in order of time.

    Without an id all rows are one series, called ""; without a time they are in order. Raises CellError for a missing id or time,
    and where two rows of an id have one time.
    """
    rows = len(next(iter(cells.values())))
    names = words(np.asarray(cells[id], dtype=object)) if id else [""] * rows
    numbered = {name: place for place, name in enumerate(dict.fromkeys(names))}
    codes = np.array([numbered[name] for name in names])
    if None in numbered:
        raise CellError(id, int(np.flatnonzero(codes == numbered[None])[0]), "", "an id")
    moments = moments_in(cells, time, formats) if time else np.arange(len(codes), dtype=np.float64)
    order = np.lexsort((moments, codes))
    same = np.flatnonzero((np.diff(codes[order]) == 0) & (np.diff(moments[order]) == 0))
    if len(same):
        first, second = sorted(order[same[0] : same[0] + 2].tolist())
        wanted = f"a time of its own: row {first + 1} has it too{f' in {names[second]!r}' if id else ''}"
        raise CellError(time, second, np.asarray(cells[time])[second], wanted)
    return tuple(map(str, numbered)), np.split(order, np.cumsum(np.bincount(codes))[:-1])


def moments_in(cells: Mapping[str, Any], time: str, formats: Sequence[str]) -> np.ndarray:
    """A time column as seconds since 1970, or as its own numbers where it has no formats. Raises CellError, also for a gap."""
    column = np.asarray(cells[time])
    is_typed = np.issubdtype(column.dtype, np.number)
    found = seconds(column, formats, time) if formats and not is_typed else numbers(column, time)
    missing = np.flatnonzero(np.isnan(found))
    if len(missing):
        raise CellError(time, int(missing[0]), "", "a time")
    return found


def steps_at(moments: np.ndarray, calendar: str, beat: float) -> np.ndarray:
    """Times in rising order -> which step each is, the first being 0; see `Forecast.calendar`."""
    if calendar == "rows":
        return np.arange(len(moments))
    if calendar == "even":
        return np.rint((moments - moments[0]) / beat).astype(np.int64)
    days = moments.astype("datetime64[s]")
    if calendar == "months":
        months = days.astype("datetime64[M]").astype(np.int64)
        return np.rint((months - months[0]) / beat).astype(np.int64)
    dates = days.astype("datetime64[D]")
    return np.asarray(np.busday_count(dates[0], dates))


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


def numbers(cells: np.ndarray, column: str, blanks: Sequence[str] = (), spelling: str = "") -> np.ndarray:
    """Cells as float64 with NaN where one is missing. Raises CellError for one that is no finite number."""
    if cells.dtype != object:
        values = np.asarray(cells, dtype=np.float64)
    else:
        values = np.array([number_in(cell, blanks, spelling) for cell in cells.tolist()], dtype=np.float64)
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        written = f", written as 1234{spelling[:1]}5{spelling[1:]}" if spelling else ""
        raise CellError(column, int(infinite[0]), cells[infinite[0]], f"a finite number{written}")
    return values


def seconds(cells: np.ndarray, formats: Sequence[str], column: str) -> np.ndarray:
    """Dates as seconds since 1970, with NaN where one is missing. Raises CellError for one in no known format.

    A date as 2026-11-25 is read whatever the formats: that is how a file with dates of its own, such as Parquet, spells them.
    """
    found: dict[str, float] = {}
    texts = words(cells)
    for text in dict.fromkeys(texts):
        found[text or ""] = moment(text, (*formats, ISO)) if text and text.strip().lower() not in BLANKS else math.nan
    for row, text in enumerate(texts):
        if math.isinf(found[text or ""]):
            raise CellError(column, row, text, f"a date ({', '.join(formats)})")
    return np.array([found[text or ""] for text in texts], dtype=np.float64)


def moment(text: str, formats: Sequence[str]) -> float:
    """Seconds since 1970 of a date without or with a time zone (UTC where none is given); infinity for no date."""
    for form in formats:
        try:
            when = datetime.fromisoformat(text.strip()) if form == ISO else datetime.strptime(text.strip(), form)
            return (when.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds()
        except ValueError:
            continue
    return math.inf


def words(cells: np.ndarray) -> list[str | None]:
    """Cells as text without spaces around it, None where one is missing; a whole number is spelled without a fraction."""
    return [cell.strip() or None if type(cell) is str else _spelled(cell) for cell in cells.tolist()]


def missing(cells: np.ndarray) -> np.ndarray:
    """(rows,) whether a cell is missing: NaN, None, or only spaces."""
    if cells.dtype != object:
        return np.isnan(np.asarray(cells, dtype=np.float64))
    return np.array([word is None for word in words(cells)], dtype=bool)


def terms_of(text: str) -> list[str]:
    """Words in lower case, and pairs of neighbours."""
    found = _WORD.findall(text.lower())
    return found + [f"{first} {second}" for first, second in itertools.pairwise(found)]


def tokens_of(text: str) -> list[str]:
    """Words in lower case and single marks."""
    return TOKEN.findall(text.lower())


def number_in(cell: object, blanks: Sequence[str] = (), spelling: str = "") -> float:
    """NaN for a missing cell, infinity for one that is no number.

    `spelling` is empty for text as programs write numbers. Otherwise it is the decimal mark, `.` or `,`, and then the sign that
    stands before or behind the numbers, such as `$` or `%`, if any: then thousands may be divided, and brackets mean a minus.
    """
    if cell is None:
        return math.nan
    if isinstance(cell, str):
        text = cell.strip()
        if text.lower() in BLANKS or text in blanks:
            return math.nan
        if spelling:
            return _written(text, spelling)
        try:
            return float(text) if "_" not in text else math.inf
        except ValueError:
            return math.inf
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.nan if cell != cell else math.inf


def _written(text: str, spelling: str) -> float:
    """A number as people write it; infinity for what is none. A percent sign must be there: without, 50 % and 0.5 look alike."""
    found = _pattern(spelling).fullmatch(_SPACES.sub(" ", text))
    if found is None:
        return math.inf
    signs = (found["before"] is not None) + (found["behind"] is not None)
    minus = (found["minus"] is not None) + (found["inner"] is not None) + (found["open"] is not None)
    if signs > 1 or minus > 1 or (found["open"] is None) != (found["close"] is None):
        return math.inf
    if spelling[1:] in ("%", "‰") and not signs:
        return math.inf
    whole = "".join(character for character in found["whole"] if character.isdigit())
    value = float(f"{whole or 0}.{found['fraction'] or 0}{found['power'] or ''}")
    is_negative = found["open"] is not None or (found["minus"] or found["inner"]) in ("-", "−")
    return -value if is_negative else value


@lru_cache(maxsize=256)
def _pattern(spelling: str) -> re.Pattern[str]:
    """Spaces are single ones here: a run of them in a cell from a stranger must not cost more than its length."""
    mark, sign = re.escape(spelling[0]), re.escape(spelling[1:]) or "(?!)"
    between = "[.,'’ ]".replace(spelling[0], "")
    whole = rf"(?P<whole>[1-9]\d{{0,2}}(?P<between>{between})\d{{3}}(?:(?P=between)\d{{3}})*|\d*)"
    number = rf"(?={mark}?\d){whole}(?:{mark}(?P<fraction>\d*))?(?P<power>[eE][+-]?\d+)?"
    return re.compile(
        rf"(?P<open>\()? ?(?P<minus>[+−-])? ?(?P<before>{sign})? ?(?P<inner>[+−-])? ?{number} ?(?P<behind>{sign})? ?(?P<close>\))?"
    )


def is_overflow(text: str | None) -> bool:
    """Whether a cell such as `1e400` or `inf` is spelled as a number that is not finite: a mistake, not a word."""
    return bool(text and _OVERFLOW.fullmatch(text) and math.isinf(number_in(text)))


def _scaled(values: np.ndarray, mean: float | np.ndarray, scale: float | np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.clip((values - mean) / scale, -_FARTHEST, _FARTHEST)


def _spelled(cell: object) -> str | None:
    if cell is None or cell != cell:  # NaN, NaT
        return None
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value
