"""Numbers for people: no exponent for an amount that they would write out, and axes whose ticks differ."""

from __future__ import annotations

import math

import pytest

from automl.rounding import gained, interval, rounded, tick_names


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.98765, "0.9877"),
        (0.5, "0.5"),
        (0.0001, "0.0001"),
        (0.00009999999, "0.0001"),
        (0.00001234, "1.234e-05"),
        (51.3249, "51.32"),
        (1234.5, "1234"),
        (9999.9, "10,000"),
        (139_216.4, "139,200"),
        (-139_216.4, "-139,200"),
        (5_123_456.0, "5,123,000"),
        (999_900_000.0, "999,900,000"),
        (1.2345e9, "1.234e+09"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_an_amount_has_four_significant_digits_and_no_exponent(value: float, shown: str) -> None:
    assert rounded(value) == shown


def test_fewer_digits_group_thousands_alike() -> None:
    assert [rounded(value, 3) for value in (1e6, 12_345.0, 1234.0, 0.00123456)] == [
        "1,000,000",
        "12,300",
        "1230",
        "0.00123",
    ]


def test_a_gain_has_its_sign_and_none_where_there_is_no_gain() -> None:
    assert [gained(value, 3) for value in (0.01234, -20_870.0, 0.0, -0.0)] == ["+0.0123", "-20,900", "0", "0"]


def test_commas_of_thousands_and_of_an_interval_are_not_mixed_up() -> None:
    assert interval(0.97971, 1.0) == "[0.9797, 1]"
    assert interval(108_791.0, 164_600.0) == "[108,800; 164,600]"


@pytest.mark.parametrize(
    ("ticks", "names"),
    [
        ([14.6, 14.65, 14.7], ["14.60", "14.65", "14.70"]),
        ([0.0, 0.5, 1.0], ["0.0", "0.5", "1.0"]),
        ([0.0, 5.0, 10.0], ["0", "5", "10"]),
        ([-0.0, 0.1 + 0.2], ["0.0", "0.3"]),
        ([0.0, 50_000.0, 100_000.0], ["0", "50,000", "100,000"]),
        ([4.8e6, 5.0e6, 5.2e6], ["4.8M", "5.0M", "5.2M"]),
        ([0.0, 1e6, 2e6], ["0", "1M", "2M"]),
        ([1_000_000.0, 1_000_010.0], ["1.00000M", "1.00001M"]),
        ([0.0, 0.00001, 0.00002], ["0", "1e-05", "2e-05"]),
        ([1e12, 1.1e12], ["1.0e+12", "1.1e+12"]),
        ([7.25], ["7.25"]),
        ([], []),
    ],
)
def test_ticks_have_the_decimals_of_the_step_between_them(ticks: list[float], names: list[str]) -> None:
    assert tick_names(ticks) == names


def test_ticks_of_a_logarithmic_axis_are_named_one_by_one() -> None:
    assert tick_names([0.0001, 0.01, 1.0, 10_000.0, 3e6], is_log=True) == ["0.0001", "0.01", "1", "10,000", "3M"]
