"""After how many steps a series repeats itself: found through trend and noise, and nothing where it only wanders."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from automl.tasks.own.season import find_season, usual_seasons


@pytest.mark.parametrize(("scale", "level"), [(1e-90, 0.0), (1e90, 0.0), (1.0, 1e11), (1.0, -5.0)])
def test_a_season_is_found_whatever_the_units(scale: float, level: float) -> None:
    wave = np.sin(np.arange(150) / 7 * 2 * np.pi)
    assert find_season([scale * wave + level]) == 7
    assert find_season([np.full(150, level)]) == 1


@pytest.mark.parametrize("season", [1, 7, 12, 24])
def test_a_season_is_found_through_trend_and_noise_and_none_where_there_is_none(season: int) -> None:
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        wave = np.tile(rng.normal(0, 1, season), 400 // season + 1)[:300]
        drift = np.arange(300) / 30 + np.cumsum(rng.normal(0, 0.1, 300))
        found.append(find_season([wave * (season > 1) + drift + rng.normal(0, 0.4, 300)]))
    assert np.mean(np.array(found) == season) >= 0.9


def test_a_day_is_found_within_a_slow_year() -> None:
    hours = np.arange(4000)
    rng = np.random.default_rng(0)
    wandering = np.cumsum(rng.normal(0, 0.3, 4000)) + 8 * np.sin(2 * np.pi * hours / 8766)
    assert find_season([wandering + np.sin(2 * np.pi * hours / 24)]) == 24


def test_what_wanders_has_no_season() -> None:
    found = []
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(size=300)
        slow = np.array(pd.Series(noise).ewm(alpha=0.3).mean())
        found += [find_season([one]) for one in (noise, noise.cumsum(), slow)]
    assert np.mean(np.array(found) == 1) >= 0.95


def test_a_season_of_few_cycles_is_believed_where_it_is_usual() -> None:
    values = np.sin(np.arange(60) / 12 * 2 * np.pi) + np.random.default_rng(0).normal(0, 0.5, 60)
    assert (find_season([values]), find_season([values], (12,))) == (1, 12)
    cases = (
        ("even", 3600.0),
        ("even", 86_400.0),
        ("even", 604_800.0),
        ("months", 3.0),
        ("weekdays", 1.0),
        ("months", 12.0),
    )
    assert [usual_seasons(*case) for case in cases] == [(24, 168, 8766), (7, 365), (52,), (4,), (5,), ()]
