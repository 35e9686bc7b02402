"""Whether a column holds dates, and in which formats. Where day and month can be either, all cells decide, and doubt is said aloud."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from automl.encoding import BLANKS, ISO, QUARTER, moment
from automl.tasks.task import Column

FORMATS = (
    ISO, "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%m/%d/%Y", "%d/%m/%Y",
    "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d-%m-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y",
    "%B %d, %Y", "%d-%b-%Y", "%Y-%m", "%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%d/%m/%Y %I:%M %p", "%m-%d-%Y", "%d-%m-%Y %H:%M", "%m-%d-%Y %H:%M",
    "%d-%m-%Y %H:%M:%S", "%m-%d-%Y %H:%M:%S", "%Y.%m.%d", "%d %b %Y %H:%M", "%d %b %Y %H:%M:%S", "%d. %B %Y", "%d. %b %Y",
    "%A, %B %d, %Y", "%Y-%m-%d %H:%M:%S UTC", "%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S GMT", "%d/%b/%Y:%H:%M:%S %z",
    "%m/%Y", "%b %Y", "%B %Y", "%b-%y", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%d-%b-%y", "%d%b%Y", "%Y年%m月%d日", QUARTER,
)  # fmt: skip
"""Of dates, the likelier first; where day and month can be either, all cells decide."""
DAY_NUMBER = "%Y%m%d"
"""Of whole numbers such as 20201027."""
_FEWEST_DAY_NUMBERS = 20
_OTHER_WAY = {
    first + time: other + time
    for one, two in (("%m/%d/%Y", "%d/%m/%Y"), ("%m/%d/%y", "%d/%m/%y"), ("%m-%d-%Y", "%d-%m-%Y"))
    for first, other in ((one, two), (two, one))
    for time in ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
}
_SHORT = "%d.%m.%y"
_PADDED = re.compile(r"\d\d\.\d\d\.\d\d")
"""Of a date with a short year: 1.2.10 is a version."""
_SAMPLE, _FEW, _FEWER = 2000, 200, 50
_MOST_FORMATS = 4
_LATE = moment("2040-01-01", (ISO,))
"""A year of two digits that is read as one after this was hardly meant so."""


def as_date(name: str, known: pa.ChunkedArray) -> Column | None:
    """A date in one format, or in several that are tried in turn."""
    sample = _dates_among(known[:_SAMPLE])
    if not sample or not any(character.isdigit() for character in sample[0]) or max(map(len, sample)) > 40:
        return None
    formats = _formats_of(sample)
    if not formats:
        return None
    cells = _dates_among(known)
    for _ in range(_MOST_FORMATS):
        wrong = next((cell for cell in cells if not _is_read(cell, formats)), None)
        if wrong is None:
            break
        sample = [wrong, *sample]  # what comes late may tell day from month
        formats = _formats_of(sample)
        if not formats:
            return None
    else:
        return None
    if _SHORT in formats and not all(_PADDED.fullmatch(cell) for cell in cells if _is_read(cell, (_SHORT,))):
        return None
    return Column(name, "date", f"dates ({', '.join(formats)})", formats, doubt=_doubt(cells, formats))


def as_day_numbers(name: str, known: pa.ChunkedArray) -> Column | None:
    """Whole numbers such as 20201027, of which each is a day from 1900 to 2100."""
    for part in (known[:_FEW], known):
        if not pc.all(pc.match_substring_regex(part, r"^(19|20|21)\d{6}$")).as_py():
            return None
    cells = pc.unique(known).to_pylist()
    if len(cells) < _FEWEST_DAY_NUMBERS or max(cells) > "21001231":
        return None
    if not all(_is_read(cell, (DAY_NUMBER,)) for cell in cells):
        return None
    return Column(name, "date", f"dates ({DAY_NUMBER})", (DAY_NUMBER,))


def nearly_dates(known: pa.ChunkedArray) -> str:
    """The first cell that keeps a column of dates from being one."""
    cells = _dates_among(known[:_FEW])
    wrong: list[str] = []
    for cell in cells:
        wrong += [] if _is_read(cell, FORMATS) else [cell]
        if len(wrong) >= 0.1 * len(cells):
            return ""
    return f"; dates but for {wrong[0][:40]!r}" if wrong else ""


def _formats_of(cells: Sequence[str]) -> tuple[str, ...]:
    """Formats that read all cells in turn, the one that reads most first; none where a cell is no date, which soon shows."""
    if not all(_is_read(cell, FORMATS) for cell in cells[:_FEWER]):
        return ()
    found: list[str] = []
    left = list(cells)
    while left and len(found) < _MOST_FORMATS:
        some = [form for form in FORMATS if any(_is_read(cell, (form,)) for cell in left[:_FEWER])]
        if not some:
            return ()
        best = max(some, key=lambda form: sum(_is_read(cell, (form,)) for cell in left))
        found.append(best)
        left = [cell for cell in left if not _is_read(cell, (best,))]
    return () if left else tuple(found)


def _dates_among(known: pa.ChunkedArray) -> list[str]:
    """The different cells that are not missing."""
    return [cell for cell in dict.fromkeys(known.to_pylist()) if cell.lower() not in BLANKS]


def _is_read(cell: str, formats: Sequence[str]) -> bool:
    return math.isfinite(moment(cell, formats))


def _doubt(cells: list[str], formats: Sequence[str]) -> str:
    """Whether day and month may stand the other way round, in all cells or in some; empty where no cell leaves that open."""
    for form in formats:
        other = _OTHER_WAY.get(form)
        if other in formats:
            return f"day and month stand both ways round ({form}, {other}); where both can be read, {form} is. Write dates as 2026-11-25"
        if other and all(_is_read(cell, (other,)) for cell in cells if _is_read(cell, (form,))):
            return f"read as {form}, but no cell tells that it is not {other}. Write dates as 2026-11-25 to be sure"
        late = (
            next((cell for cell in cells if _LATE <= moment(cell, (form,)) < math.inf), None) if "%y" in form else None
        )
        if late is not None:
            year = 2000 + int(late[-2:])
            return f"years of two digits are read as 1969 to 2068, {late!r} as {year}. Write dates as 2026-11-25 to be sure"
    return ""
