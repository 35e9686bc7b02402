"""How time goes by in series: from one step to the next, and from season to season. Looks at times and values; builds nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl.encoding import filled, steps_at

_DAY = 86_400.0
_NAMES = {1.0: "second", 60.0: "minute", 3600.0: "hour", _DAY: "day", 7 * _DAY: "week"}
_NEARLY_ALL = 0.99
_OFF = 0.1
"""Of a step, by which a time may lie beside its place."""
_SPARSE = 3
"""Steps per row at most; where more are missing, the times are no rhythm."""
LONGEST_SEASON = 400
_CLEAR = 0.2
"""Autocorrelation by which a season stands out from the valley before it, and the least that it has."""
_NEARLY = 0.9
_FLAT = 1e-14
"""Of its size, by which a series must vary at least."""
_MOST_SERIES = 200


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


def find_season(series: Sequence[np.ndarray]) -> int:
    """Return after how many steps series (steps,), with NaN for gaps, resemble themselves; 1 where they do not clearly.

    The first high peak of the mean autocorrelation, after a straight trend is taken off; it must stand out from the valley before,
    and so must the peak at twice its lag: a series that only wanders shows the one but hardly the other.
    """
    chosen = [one for one in series if len(one) >= 8][:_MOST_SERIES]
    if not chosen:
        return 1
    most = min(LONGEST_SEASON, int(np.median([len(one) for one in chosen])) // 3)
    found = [one for each in chosen if len(each) >= 3 * most and (one := _autocorrelation(each, 2 * most)) is not None]
    if most < 3 or not found:
        return 1
    mean = np.mean(found, axis=0)  # of lags 0 to twice the longest season
    noise = 3.0 / np.sqrt(sum(map(len, chosen)))
    peaks = [
        lag
        for lag in range(2, most)
        if mean[lag] >= max(mean[lag - 1], mean[lag + 1])
        and mean[lag] > max(_CLEAR / 2, noise)
        and mean[lag] - mean[1:lag].min() > max(_CLEAR, noise)
        and mean[2 * lag - 1 : 2 * lag + 2].max() - mean[lag : 2 * lag].min() > max(_CLEAR, noise) / 2
    ]
    if not peaks:
        return 1
    highest = max(mean[lag] for lag in peaks)
    return next(lag for lag in peaks if mean[lag] >= _NEARLY * highest)


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


def _autocorrelation(series: np.ndarray, most: int) -> np.ndarray | None:
    """Of lags 0 to `most`; None for a series without variation."""
    values = filled(series)
    places = np.arange(len(values), dtype=np.float64)
    if np.isnan(values).any():
        return None
    values = values - values.mean()
    if values.std() <= _FLAT * np.abs(series[~np.isnan(series)]).max():
        return None
    values = values / values.std()
    values = values - np.polyval(np.polyfit(places, values, 1), places)
    power = np.abs(np.fft.rfft(values, 2 * len(values))) ** 2
    found = np.fft.irfft(power)[: most + 1] / np.arange(len(values), len(values) - most - 1, -1)
    return found / found[0] if found[0] > _FLAT else None
