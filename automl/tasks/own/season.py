"""After how many steps series repeat themselves, and what the calendar would have. Looks at values; builds nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automl.encoding import filled

_DAY = 86_400.0
LONGEST_SEASON = 400
_SHORTEST = 3
"""Steps of a season: noise often goes up and down by turns."""
_FEWEST_CYCLES = 3
_WEAKEST, _STRONG = 0.15, 0.9
"""No weaker season counts; and one of this strength does, however few cycles there are."""
_DOUBT, _DOUBT_OF_USUAL = 2.7, 1.7
"""Over the number of cycles: how strong a season must be. Of 160 series of 300 steps of noise, walks and autoregressions 9 have one."""
_NEARLY = 1.4
"""By what factor a series may change more over a shorter season."""
_FLAT = 1e-14
"""Of its size, by which a series must vary at least."""
_MOST_SERIES = 50
_NEWEST = 8000
"""Steps of a series that are looked at."""


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
