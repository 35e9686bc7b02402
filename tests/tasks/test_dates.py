"""Dates as people and programs write them are dates; what only resembles them is none, and what can be read in two ways is doubted."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from automl.encoding import Date
from automl.tasks import Choices, Column, load_task
from automl.tasks.own.columns import infer_column
from automl.tasks.own.dates import as_date

DAYS = pd.Timestamp("2015-01-01") + pd.to_timedelta(np.random.default_rng(0).integers(0, 86400 * 2500, 200), unit="s")


def taken(cells: list[str], name: str = "when") -> Column:
    return infer_column(name, pa.chunked_array([cells]))


@pytest.mark.parametrize(
    "form",
    [
        "%m/%Y", "%b %Y", "%b-%y", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%d-%b-%y", "%Y.%m.%d", "%m-%d-%Y", "%d.%m.%Y %H:%M:%S",
        "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%d-%m-%Y %H:%M", "%d %b %Y %H:%M", "%d. %B %Y", "%Y-%m-%d %H:%M:%S UTC",
        "%a, %d %b %Y %H:%M:%S +0000", "%d%b%Y", "%Y%m%d",
    ],
)  # fmt: skip
def test_a_date_is_read_as_it_is_written(form: str) -> None:
    cells = DAYS.strftime(form).tolist()
    found = taken(cells)
    assert (found.kind, found.doubt) == ("date", "")
    expected = [pd.to_datetime(cell, format=form).replace(tzinfo=None).timestamp() for cell in cells]
    assert Date("when", found.formats).seconds(np.array(cells, dtype=object)).tolist() == expected


@pytest.mark.parametrize("form", ["{}Q{}", "{}-Q{}", "{} Q{}", "Q{1} {0}"])
def test_a_quarter_is_its_first_day(form: str) -> None:
    cells = [form.format(2000 + place % 20, place % 4 + 1) for place in range(60)]
    found = taken(cells)
    assert found.kind == "date"
    seconds = Date("when", found.formats).seconds(np.array(cells, dtype=object))
    assert pd.to_datetime(seconds[3], unit="s") == pd.Timestamp("2003-10-01")


@pytest.mark.parametrize(
    "cells",
    [
        ["1.5", "2.10"],
        ["10-20", "20-30", "30-40", "01-12"],
        ["1.2.10", "2.10.11", "3.4.12"],
        ["555-12-2020", "030-11-2021"],
        ["20201027", "20201301"],
        ["20200101", "20200102"],
        ["1/2", "3/4"],
        ["120/80", "12/1500"],
        ["May", "June"],
    ],
)
def test_what_only_resembles_dates_is_none(cells: list[str]) -> None:
    assert taken(cells * 30).kind != "date"


@pytest.mark.parametrize("form", ["%m/%d/%y", "%m-%d-%Y", "%d/%m/%Y %I:%M %p"])
def test_day_and_month_that_no_cell_tells_apart_are_doubted(form: str) -> None:
    days = pd.date_range("2020-01-01", periods=12, freq="MS") + pd.Timedelta(days=3)
    assert "no cell tells" in taken(days.strftime(form).tolist() * 5).doubt


def test_a_cell_far_below_tells_day_from_month() -> None:
    months = pd.date_range("1700-01-01", periods=2500, freq="MS").strftime("%d/%m/%Y").tolist()
    found = taken([*months, "27/10/2020"])
    assert (found.formats, found.doubt) == (("%d/%m/%Y",), "")


def test_a_short_year_that_would_lie_far_ahead_is_doubted() -> None:
    cells = [f"{day:02d}.10.{year}" for day in range(10, 28) for year in (45, 46)]
    assert "'10.10.45' as 2045" in taken(cells).doubt


def test_words_are_soon_known_to_be_no_dates() -> None:
    cells = pa.chunked_array([[f"{place}-word" for place in range(100_000)]])
    begun = time.process_time()
    assert as_date("n", cells) is None
    assert time.process_time() - begun < 0.5


def test_months_order_a_forecast(tmp_path: Path) -> None:
    months = pd.date_range("2010-01-01", periods=120, freq="MS").strftime("%m/%Y")
    rows = "\n".join(f"{month},{100 + place % 12}" for place, month in enumerate(months))
    (tmp_path / "d.csv").write_text(f"month,sold\n{rows}\n")
    choices = Choices("sold", kind="forecast", time_column="month", horizon=6)
    assert "a step is 1 month" in load_task(str(tmp_path / "d.csv"), choices).given
