"""How time goes by in series, from one step to the next. Looks at times; builds nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl.encoding import steps_at

_DAY = 86_400.0
_NAMES = {1.0: "second", 60.0: "minute", 3600.0: "hour", _DAY: "day", 7 * _DAY: "week"}
_NEARLY_ALL = 0.99
_OFF = 0.1
"""Of a step, by which a time may lie beside its place."""
_SPARSE = 3
"""Steps per row at most; where more are missing, the times are no rhythm."""


@dataclass(frozen=True)
class Rhythm:
    """What a step is."""

    calendar: str
    """As `Forecast.calendar`."""
    beat: float
    said: str
    """In words: `a step is 1 day`."""
    is_assumed: bool = False
    """Whether the times do not say it."""


def find_rhythm(moments: Sequence[np.ndarray], formats: tuple[str, ...]) -> Rhythm:
    """Return the rhythm of series' times, each in rising order: months, weekdays or an even beat; else rows as they come."""
    jumps = np.concatenate([np.diff(one) for one in moments])
    if not len(jumps):
        return Rhythm("rows", 1.0, "a step is a row")
    tried = [_months(moments), _weekdays(moments, jumps)] if formats else []
    for found in (*tried, _even(jumps, bool(formats))):
        if found is not None and _is_dense(moments, found):
            return found
    said = f"their times are uneven ({_spelled(jumps.min(), bool(formats))} to {_spelled(jumps.max(), bool(formats))} apart)"
    return Rhythm("rows", 1.0, f"rows are taken as evenly spaced, though {said}", is_assumed=True)


def _months(moments: Sequence[np.ndarray]) -> Rhythm | None:
    """Dates on one day of the month, or on its last."""
    days = np.concatenate(moments).astype("datetime64[s]")
    months = days.astype("datetime64[M]")
    day = (days.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(int)
    last = (days.astype("datetime64[D]") + np.timedelta64(1, "D")).astype("datetime64[M]") > months
    if not (np.all(day == day[0]) or last.all()):
        return None
    jumps = np.concatenate(
        [np.diff(one.astype("datetime64[s]").astype("datetime64[M]").astype(int)) for one in moments]
    )
    beat = int(np.gcd.reduce(jumps)) if len(jumps) else 0
    if beat < 1 or jumps.min() < 1:
        return None
    years, rest = divmod(beat, 12)
    return Rhythm(
        "months", float(beat), f"a step is {_counted(years, 'year') if not rest else _counted(beat, 'month')}"
    )


def _weekdays(moments: Sequence[np.ndarray], jumps: np.ndarray) -> Rhythm | None:
    days = np.concatenate(moments)
    weekday = ((days // _DAY).astype(int) + 3) % 7  # 1970-01-01 was a Thursday
    if np.any(days % _DAY) or np.any(weekday > 4) or len(days) < 10 or _commonest(jumps) != _DAY:
        return None
    return Rhythm("weekdays", 1.0, "a step is 1 weekday")


def _even(jumps: np.ndarray, are_dates: bool) -> Rhythm | None:
    beat = _commonest(jumps)
    for each in (beat, float(jumps.min())):
        turns = jumps / each
        fits = (np.abs(turns - np.rint(turns)) <= _OFF) & (np.rint(turns) >= 1)
        if fits.mean() >= _NEARLY_ALL and np.all(np.rint(turns) >= 1):
            return Rhythm("even", each, f"a step is {_spelled(each, are_dates)}")
    return None


def _is_dense(moments: Sequence[np.ndarray], rhythm: Rhythm) -> bool:
    steps = [steps_at(one, rhythm.calendar, rhythm.beat) for one in moments]
    if any(np.any(np.diff(one) < 1) for one in steps):
        return False
    return sum(int(one[-1]) + 1 for one in steps) <= _SPARSE * sum(map(len, moments))


def _commonest(jumps: np.ndarray) -> float:
    values, counts = np.unique(jumps.round(6), return_counts=True)
    return float(values[counts.argmax()])


def _spelled(beat: float, are_dates: bool) -> str:
    if not are_dates:
        return f"{beat:g}"
    unit = max(unit for unit in _NAMES if unit <= beat or unit == 1.0)
    return _counted(beat / unit, _NAMES[unit]) if beat % unit == 0 else f"{beat / unit:.3g} {_NAMES[unit]}s"


def _counted(count: float, unit: str) -> str:
    return f"{count:g} {unit}" + ("s" if count != 1 else "")
