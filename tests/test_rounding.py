"""Numbers for people."""

import math

import pytest

from automl.rounding import rounded


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.81234, 4, "0.8123"),
        (139185.4, 4, "139,200"),
        (-139185.4, 4, "-139,200"),
        (5_213_000.0, 4, "5,213,000"),
        (1392.0, 4, "1392"),
        (1392.0, 3, "1,390"),
        (99_996.0, 4, "100,000"),
        (0.0, 4, "0"),
        (1.5e-7, 4, "1.5e-07"),
        (2.5e30, 4, "2.5e+30"),
        (math.inf, 4, "inf"),
        (math.nan, 4, "nan"),
    ],
)
def test_a_number_has_few_digits_and_no_power_of_ten_where_it_is_short_without(
    value: float, digits: int, text: str
) -> None:
    assert rounded(value, digits) == text


def test_a_difference_shows_its_sign() -> None:
    assert [rounded(one, 3, signed=True) for one in (0.0123, -139185.0, 12345.0)] == ["+0.0123", "-139,000", "+12,300"]
