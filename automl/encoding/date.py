"""A date of a table, and how dates are read."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import numpy as np

from .cells import CellError, words
from .encoder import ColumnEncoder
from .spelling import BLANKS

ISO = "iso"
"""A date as 2026-11-25, with or without a time."""
QUARTER = "quarter"
"""A quarter as 2026Q4, 2026-Q4 or Q4 2026: its first day."""
_QUARTER = re.compile(r"(\d{4})[ -]?Q([1-4])|Q([1-4])[ -]?(\d{4})", re.ASCII | re.IGNORECASE)
_DAY, _WEEK, _YEAR = 86_400.0, 7 * 86_400.0, 365.2425 * 86_400.0


@dataclass(frozen=True)
class Date(ColumnEncoder):
    """A moment: its scaled time, and where it stands in the year, the week and, if the column has hours, the day."""

    kind: ClassVar[str] = "date"
    formats: tuple[str, ...]
    """`iso`, `quarter`, or formats of `strptime`, tried in turn."""
    mean: float = 0.0
    scale: float = 1.0
    hours: bool = False
    gaps: bool = False
    utc: bool = False
    """Whether a time zone counts. Models of before read the hour that was written, whatever zone stood behind it."""

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """0 per feature: numbers."""
        return (0,) * (5 + 2 * self.hours + self.gaps)

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(rows,), text or seconds since 1970 -> (rows, 5 to 8): time, sine and cosine of cycles, and 1 where it is missing."""
        moments = cells if cells.dtype == np.float64 else self.seconds(cells)
        known = ~np.isnan(moments)
        features = [(moments - self.mean) / self.scale]
        for cycle in (_YEAR, _WEEK, *((_DAY,) if self.hours else ())):
            angle = 2 * math.pi * (moments % cycle) / cycle
            features += [np.sin(angle), np.cos(angle)]
        features = [np.where(known, feature, 0.0) for feature in features]
        return np.column_stack(features + ([(~known).astype(np.float64)] if self.gaps else []))

    def seconds(self, cells: np.ndarray) -> np.ndarray:
        """(rows,) text -> (rows,) seconds since 1970, NaN where one is missing. Raises CellError."""
        return seconds(cells, self.formats, self.name, utc=self.utc)


def seconds(cells: np.ndarray, formats: Sequence[str], column: str, *, utc: bool = True) -> np.ndarray:
    """Dates as seconds since 1970, with NaN where one is missing. Raises CellError for one in no known format.

    Without `utc` a time zone is left out of account.

    A date as 2026-11-25 is read whatever the formats: that is how a file with dates of its own, such as Parquet, spells them.
    """
    found: dict[str, float] = {}
    texts = words(cells)
    for text in dict.fromkeys(texts):
        found[text or ""] = (
            moment(text, (*formats, ISO), utc=utc) if text and text.strip().lower() not in BLANKS else math.nan
        )
    for row, text in enumerate(texts):
        if math.isinf(found[text or ""]):
            raise CellError(column, row, text, f"a date ({', '.join(formats)})")
    return np.array([found[text or ""] for text in texts], dtype=np.float64)


def moment(text: str, formats: Sequence[str], *, utc: bool = True) -> float:
    """Seconds since 1970 of a date without or with a time zone (UTC where none is given); infinity for no date."""
    for form in formats:
        try:
            when = _read(text.strip(), form)
            if utc and when.tzinfo is not None:
                when = when.astimezone(UTC)
        except (ValueError, OverflowError):  # the first hours of year 1 may have no UTC
            continue
        return (when.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds()
    return math.inf


def _read(text: str, form: str) -> datetime:
    """Raises ValueError for a date that is not in this format."""
    if form == ISO:
        return datetime.fromisoformat(text)
    if form != QUARTER:
        return datetime.strptime(text, form)
    found = _QUARTER.fullmatch(text)
    if found is None:
        raise ValueError
    return datetime(int(found[1] or found[4]), 3 * int(found[2] or found[3]) - 2, 1)
