"""What a step of a series is, found from its times."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from automl.tasks.own.rhythm import find_rhythm

RNG = np.random.default_rng(0)


def seconds(frequency: str, rows: int = 100) -> np.ndarray:
    return pd.date_range("2024-01-01", periods=rows, freq=frequency).to_numpy().astype("datetime64[s]").astype(float)


@pytest.mark.parametrize(
    ("frequency", "calendar", "beat", "said"),
    [
        ("D", "even", 86400.0, "1 day"),
        ("h", "even", 3600.0, "1 hour"),
        ("15min", "even", 900.0, "15 minutes"),
        ("W", "even", 7 * 86400.0, "1 week"),
        ("MS", "months", 1.0, "1 month"),
        ("ME", "months", 1.0, "1 month"),
        ("QS", "months", 3.0, "3 months"),
        ("YS", "months", 12.0, "1 year"),
        ("B", "weekdays", 1.0, "1 weekday"),
    ],
)
def test_the_rhythm_is_found_though_rows_are_missing(frequency: str, calendar: str, beat: float, said: str) -> None:
    times = np.delete(seconds(frequency), [5, 17, 18, 60])
    found = find_rhythm([times], ("iso",))
    assert (found.calendar, found.beat, found.said) == (calendar, beat, f"a step is {said}")


def test_uneven_times_are_taken_as_they_come_and_that_is_said() -> None:
    found = find_rhythm([np.cumsum(RNG.uniform(0.5, 9.5, 100))], ())
    assert (found.calendar, found.is_assumed) == ("rows", True)
    assert "rows are taken as evenly spaced, though their times are uneven" in found.said
