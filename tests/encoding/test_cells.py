"""Cells are read as people and programs write them; what is none of it is said to be none."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from mixed_rows import cells

from automl.encoding import (
    is_overflow,
    moment,
    number_in,
    words,
)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1", 1),
        (" 1.5 ", 1.5),
        ("1e3", 1000),
        (True, 1),
        (np.float32(2), 2),
        ("", None),
        ("NA", None),
        ("?", None),
        (None, None),
    ],
)
def test_a_number_is_read_from_what_people_write(cell: object, value: float | None) -> None:
    assert number_in(cell) == value if value is not None else math.isnan(number_in(cell))


@pytest.mark.parametrize("cell", ["x", "1_000", "1,5", "inf", "1e400", "0x1F", object(), "--1"])
def test_what_is_no_number_is_infinite(cell: object) -> None:
    assert math.isinf(number_in(cell))


@pytest.mark.parametrize(
    ("text", "over"), [("1e400", True), ("-INF", True), ("9" * 400, True), ("x", False), ("1", False)]
)
def test_an_overflow_is_no_word(text: str, over: bool) -> None:
    assert is_overflow(text) is over


def test_whole_numbers_of_a_frame_are_the_words_of_a_file() -> None:
    assert words(np.array([1.0, 2.5, np.nan])) == ["1", "2.5", None]
    assert words(cells(1, 1.0, "1", True, pd.NaT, " ")) == ["1", "1", "1", "True", None, None]


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("1970-01-02", "iso", 86_400),
        ("1970-01-01T00:00:01Z", "iso", 1),
        ("02.01.1970", "%d.%m.%Y", 86_400),
        ("1970-01-01 00:00:01.000000000", "iso", 1),
        ("soon", "iso", math.inf),
        ("31.02.2026", "%d.%m.%Y", math.inf),
    ],
)
def test_a_date_is_read_in_its_format(text: str, form: str, value: float) -> None:
    assert moment(text, (form,)) == value


@pytest.mark.parametrize("spelling", [".^", ".[", ",*", ".\\", ".|"])
def test_a_sign_from_a_strangers_schema_is_no_pattern(spelling: str) -> None:
    sign = spelling[1:]
    assert number_in(f"{sign}5", (), spelling) == 5
    assert math.isinf(number_in("5x5", (), spelling))
