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
_SHORTEST = 3
"""Steps of a season: noise often goes up and down by turns."""
_FEWEST_CYCLES = 3
_WEAKEST, _STRONG = 0.15, 0.9
"""No weaker season counts; and one of this strength does, however few cycles there are."""
_DOUBT, _DOUBT_OF_USUAL = 2.7, 1.7
"""Over the number of cycles: how strong a season must be. Of 160 random walks and slow autoregressions of 300 steps 4 have one."""
_NEARLY = 1.4
"""By what factor a series may change more over a shorter season."""
_FLAT = 1e-14
"""Of its size, by which a series must vary at least."""
_MOST_SERIES = 50
_NEWEST = 8000
"""Steps of a series that are looked at."""


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


def find_season(series: Sequence[np.ndarray], usual: Sequence[int] = ()) -> int:
    """Return after how many steps series (steps,), with NaN for gaps, repeat themselves; 1 where they do not clearly.

    Of seasons that are strong enough (see `_strengths`) the shortest over which series hardly change more than over the best. One of
    few cycles must be stronger, since whatever wanders seems to repeat itself three times; less so where it is `usual`, as the
    calendar's are.
    """
    chosen = [one[-_NEWEST:] for one in series if len(one) >= 2 * _FEWEST_CYCLES][:_MOST_SERIES]
    if not chosen:
        return 1
    length = int(np.median([len(one) for one in chosen]))
    most = min(LONGEST_SEASON, length // _FEWEST_CYCLES)
    found = [
        one for each in chosen if len(each) >= _FEWEST_CYCLES * most and (one := _strengths(each, most)) is not None
    ]
    if not found:
        return 1
    mean, changes = np.mean(found, axis=0)  # of seasons of 0 to `most` steps
    cycles = length // np.maximum(np.arange(most + 1), 1) - 2.0
    doubt = np.where(np.isin(np.arange(most + 1), usual), _DOUBT_OF_USUAL, _DOUBT)
    bar = np.clip(doubt / np.maximum(cycles, 0.1) / np.sqrt(len(found)), _WEAKEST, _STRONG)
    after = np.append(mean[1:], -np.inf)
    peaks = [each for each in range(_SHORTEST, most + 1) if mean[each] >= max(mean[each - 1], after[each], bar[each])]
    if not peaks:
        return 1
    least = min(changes[each] for each in peaks)
    return next(each for each in peaks if changes[each] <= _NEARLY * least)


def usual_seasons(calendar: str, beat: float) -> tuple[int, ...]:
    """Steps of a day, a week and a year, as far as a step of dates goes into them; `calendar` and `beat` are a `Forecast`'s."""
    if calendar == "weekdays":
        return (5,)
    if calendar == "months":
        return (round(12 / beat),) if beat < 12 else ()
    whole = [round(span / beat) for span in (_DAY, 7 * _DAY) if span % beat == 0]
    return tuple(season for season in (*whole, round(365.25 * _DAY / beat)) if season > 1)


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


def _strengths(series: np.ndarray, most: int) -> np.ndarray | None:
    """(2, most + 1) for seasons of 0 to `most` steps how strong each is, and how much the series changes over it (mean square).

    Strengths are 1 at most and 0 on average of noise. None for a series without variation.

    A season's strength is the share of the variance about the moving mean over one season that the mean at each place explains
    (classical decomposition; Hyndman and Athanasopoulos 2021, "Forecasting: Principles and Practice", sections 3.4 and 4.3), less what
    as many means of noise would.
    """
    values = filled(series)
    if np.isnan(values).any():
        return None
    values = values - values.mean()
    spread = float(values.std())
    if spread <= _FLAT * np.abs(series[~np.isnan(series)]).max():
        return None
    values = values / spread
    values = values - np.linspace(values[0], values[-1], len(values))  # so that sums stay small
    sums = np.concatenate([[0.0], values.cumsum()])
    found = np.zeros((2, most + 1))
    for season in range(2, most + 1):
        means = (sums[season:] - sums[:-season]) / season
        level = means if season % 2 else (means[1:] + means[:-1]) / 2
        about = values[season // 2 :][: len(level)] - level
        cycles = len(about) // season
        variance = about.var()
        if cycles < 2 or variance <= _FLAT:
            continue
        usual = about[-cycles * season :].reshape(cycles, season).mean(axis=0)
        found[0, season] = 1 - (1 - usual.var() / variance) * cycles / (cycles - 1)
        found[1, season] = np.square(values[season:] - values[:-season]).mean()
    return found
