"""Which rows of a table belong together, their order in time, and at which step each stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .cells import CellError, numbers, words
from .date import seconds


def rows_by_id(
    cells: Mapping[str, Any], id: str, time: str, formats: Sequence[str], utc: bool = True, spelling: str = ""
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
    moments = moments_in(cells, time, formats, utc, spelling) if time else np.arange(len(codes), dtype=np.float64)
    order = np.lexsort((moments, codes))
    same = np.flatnonzero((np.diff(codes[order]) == 0) & (np.diff(moments[order]) == 0))
    if len(same):
        first, second = sorted(order[same[0] : same[0] + 2].tolist())
        wanted = f"a time of its own: row {first + 1} has it too{f' in {names[second]!r}' if id else ''}"
        raise CellError(time, second, spelled(np.asarray(cells[time])[second], formats), wanted)
    return tuple(map(str, numbered)), np.split(order, np.cumsum(np.bincount(codes))[:-1])


def moments_in(
    cells: Mapping[str, Any], time: str, formats: Sequence[str], utc: bool = True, spelling: str = ""
) -> np.ndarray:
    """A time column as seconds since 1970, or where it has no formats as its own numbers, of this spelling.

    Raises CellError, also for a gap.
    """
    column = np.asarray(cells[time])
    is_typed = np.issubdtype(column.dtype, np.floating)  # whole numbers may be days, such as 20201027
    found = seconds(column, formats, time, utc=utc) if formats and not is_typed else numbers(column, time, (), spelling)
    missing = np.flatnonzero(np.isnan(found))
    if len(missing):
        raise CellError(time, int(missing[0]), "", "a time")
    return found


def spelled(cell: Any, formats: Sequence[str]) -> Any:
    """A time in seconds as a date; any other cell as it is."""
    if formats and isinstance(cell, float | np.floating):
        return str(np.datetime64(int(cell), "s")).replace("T00:00:00", "")
    return cell


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
