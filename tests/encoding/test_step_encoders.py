"""Series and forecasts: gaps, order in time, and the units that a window is told in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from automl.encoding import (
    CellError,
    Forecast,
    Series,
    SeriesError,
    filled,
    moments_in,
    rows_by_id,
)


def test_gaps_lie_on_the_line_between_their_neighbours() -> None:
    nan = np.nan
    rows = np.array([[nan, 1, nan, nan, 4, nan], [nan] * 6, [1, 2, 3, 4, 5, 6]])
    assert np.allclose(filled(rows), [[1, 1, 2, 3, 4, 4], [nan] * 6, [1, 2, 3, 4, 5, 6]], equal_nan=True)


def test_a_series_is_scaled_and_marked_where_it_has_gaps() -> None:
    form = Series(("a", "b"), 3, (1.0, 0.0), (2.0, 1.0), gaps=True, is_long=True, id="i")
    assert form.encoded_shape == (3, 3)
    found = form.encode(np.array([[np.nan, 3, 5, np.nan, np.nan, 7]]))
    assert np.allclose(found[0], [[0, 1, 2], [0, 0, 7], [1, 0.5, 0]])


def test_neighbouring_steps_are_joined_from_the_newest_on() -> None:
    form = Series(tuple("abcde"), 5, every=2)
    assert form.encoded_shape == (1, 3)
    assert np.allclose(form.encode(np.array([[1, 2, 4, np.nan, 8.0]])), [[[1, 3, 8]]])


def test_long_rows_are_ordered_within_their_id() -> None:
    cells = {
        "i": np.array(["b", "a", "b"], dtype=object),
        "t": np.array([2.0, 5.0, 1.0]),
        "x": np.array([20.0, 50.0, 10.0]),
    }
    ids, rows = Series(("x",), 2, is_long=True, id="i", time="t").gather(cells)
    assert ids == ("b", "a")
    assert np.allclose(rows, [[10, 20], [np.nan, 50]], equal_nan=True)
    with pytest.raises(CellError, match="row 3: '2' is not a time of its own: row 1 has it too in 'b'"):
        rows_by_id({**cells, "t": np.array(["2", "5", "2"], dtype=object)}, "i", "t", ())


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_a_forecast_is_told_in_the_windows_own_units(shift: float) -> None:
    form = Forecast(("y",), steps=8, horizon=6, season=4)
    window = np.tile([1.0, 3.0, 2.0, -6.0], 2) + np.repeat([0.0, 10.0], 4) + shift
    told = form.units(window[None])
    assert np.allclose(
        told[0, :-1], shift + np.array([11, 13, 12, 4, 11, 13])
    )  # the last season, as it usually goes on
    assert told[0, -1] == pytest.approx(window.std())
    assert np.allclose(form.encode(window[None]), (window - shift - 10) / window.std())


def test_without_a_season_the_base_is_the_last_value_and_a_constant_window_has_the_usual_scale() -> None:
    form = Forecast(("y",), steps=4, horizon=2, least=0.5)
    assert np.allclose(form.units(np.array([[1, 2, 3, 9.0], [7, 7, 7, 7.0]])), [[9, 9, 3.112475], [7, 7, 0.5]])


def test_a_history_is_read_from_its_newest_steps_with_its_gaps() -> None:
    form = Forecast(("y",), steps=3, horizon=1, id="i", time="t", calendar="even", beat=2.0)
    cells = {"i": np.array(["a"] * 4, dtype=object), "t": np.array([8.0, 0, 2, 4]), "y": np.array([5.0, 1, 2, 3])}
    ids, rows = form.gather(cells)
    assert ids == ("a",)
    assert np.allclose(rows, [[3, np.nan, 5]], equal_nan=True)
    assert np.allclose(form.known(rows), [[[3, 4, 5]]])
    short = {name: column[1:3] for name, column in cells.items()}
    with pytest.raises(SeriesError, match="the history of 'a' has 2 steps, but the last 3 are read"):
        form.gather(short)
    with pytest.raises(SeriesError, match=r"column 'y' of 'a' is empty. Give its past"):
        form.gather({**cells, "y": np.full(4, np.nan)})
    with pytest.raises(CellError, match=r"row 4: '4.0' is not a step of its own: row 3 is at the same one of 'a'"):
        form.gather({**cells, "t": np.array([8.0, 0, 3.9, 4.0])})


def test_what_is_known_ahead_is_read_up_to_the_last_step_that_is_predicted() -> None:
    form = Forecast(("y", "x", "p"), steps=4, horizon=2, ahead=("p",), ahead_scales=(0.25,))
    cells = {
        "y": np.array([0, 1, 2, 3, 4, np.nan, np.nan, np.nan]),
        "x": np.arange(8.0),
        "p": np.array([0, 0, 0, 0, 1, 0, 1, 9]),
    }
    _, rows = form.gather(cells)
    assert np.array_equal(form.by_channel(rows)[0], [[1, 2, 3, 4], [1, 2, 3, 4], [0, 1, 0, 1]])
    assert np.allclose(form.encode(rows)[0, 2], [-2, 2, -2, 2])  # over the usual scale, whatever the window's own
    one = Forecast(("y", "x"), steps=4, horizon=2, ahead=("x",), ahead_scales=(2.0,))
    span = np.arange(12.0).reshape(1, 2, 6)
    assert np.array_equal(one.read(span)[0], [[0, 1, 2, 3], [8, 9, 10, 11]])


def test_a_gap_in_what_is_known_ahead_is_filled_and_a_missing_target_before_the_end_is_too() -> None:
    form = Forecast(("y", "p"), steps=3, horizon=2, ahead=("p",), ahead_scales=(1.0,), time="t", calendar="even")
    cells = {
        "t": np.array([0.0, 1, 2, 3, 5]),
        "y": np.array([1, np.nan, 3, np.nan, np.nan]),
        "p": np.array([4.0, 5, 6, 7, 9]),
    }
    with pytest.raises(SeriesError, match="the history has 3 steps"):
        replace(form, steps=4, horizon=3).gather(cells)
    _, rows = form.gather({**cells, "t": np.array([0.0, 1, 2, 3, 4])})
    assert np.array_equal(form.by_channel(rows)[0], [[1, np.nan, 3], [6, 7, 9]], equal_nan=True)
    assert np.array_equal(form.known(form.gather(cells)[1])[0], [[1, 2, 3], [6, 7, 7]])


def test_a_history_ends_with_what_is_known_of_the_target() -> None:
    form = Forecast(("y", "x"), steps=3, horizon=2)
    _, rows = form.gather({"y": np.array([0.0, 1, np.nan, 3, np.nan, np.nan]), "x": np.arange(6.0)})
    assert np.array_equal(form.by_channel(rows)[0], [[1, np.nan, 3], [1, 2, 3]], equal_nan=True)


def test_an_hour_that_comes_twice_is_two_moments_where_zones_count() -> None:
    form = Forecast(("y",), steps=2, horizon=1, time="t", formats=("iso",), calendar="even", beat=3600.0, utc=True)
    told = ["2013-11-03 01:00:00-04:00", "2013-11-03 01:00:00-05:00", "2013-11-03 02:00:00-05:00"]
    cells = {"t": np.array(told, dtype=object), "y": np.array([1.0, 2, 3])}
    assert form.lines(cells)[0][2].tolist() == [0, 1, 2]
    with pytest.raises(
        CellError, match="row 2: '2013-11-03 01:00:00-05:00' is not a time of its own: row 1 has it too"
    ):
        replace(form, utc=False).lines(cells)
    seconds = moments_in(cells, "t", ("iso",), utc=False)
    with pytest.raises(CellError, match="row 2: '2013-11-03T01:00:00' is not a time of its own"):
        form.lines({**cells, "t": seconds})
