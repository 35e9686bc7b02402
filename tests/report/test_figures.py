"""Figures are well formed, stay inside their frame and show what they are given; their words say it too."""

import itertools
import math
import re
import xml.etree.ElementTree as ElementTree

import pytest
from samples import SPACE, attempt, trials

from automl.report.importance import Importance
from automl.report.parameters import MOST_POINTS, importance_bars, parallel_coordinates, reach, slices
from automl.report.progress import best_so_far, learning_curves, sample
from automl.report.svg import Frame, Scale, across, figure

WILD = [
    attempt(n, value, params={"lr": 0.01, "depth": n, "optimizer": "sgd"})
    for n, value in enumerate((0.9, 1e30, -1e30, 0.95, 0.0))
]
NAMES = ("lr", "depth", "optimizer")


def places(svg):
    """Every coordinate of a figure, as (x, y) pairs, and the figure's size."""
    root = ElementTree.fromstring(svg)
    width, height = map(float, root.get("viewBox").split()[2:])
    found = []
    for element in root.iter():
        for x, y in (("cx", "cy"), ("x1", "y1"), ("x2", "y2"), ("x", "y")):
            if x in element.attrib:
                found.append((float(element.get(x)), float(element.get(y))))
        if "d" in element.attrib:
            for command, numbers in re.findall(r"([MLHVh])([^MLHVh]*)", element.get("d")):
                values = [float(number) for number in numbers.split()]
                if command in "ML":
                    found += list(zip(values[::2], values[1::2], strict=True))
                else:
                    found += [(value, 0.0) if command == "H" else (0.0, value) for value in values if command != "h"]
    return found, width, height


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize(
    "draw",
    [
        lambda t: best_so_far(t, over="slot"),
        lambda t: best_so_far(t, over="time"),
        learning_curves,
        lambda t: slices(t, SPACE, NAMES, "c0")[1],
        lambda t: slices(t, SPACE, NAMES, "c0")[2],
        lambda t: parallel_coordinates(t, SPACE, NAMES),
    ],
    ids=["by slot", "by time", "curves", "numbers", "choices", "parallel"],
)
def test_figures_are_well_formed_and_stay_inside_their_frame(draw, direction):
    found, width, height = places(draw(trials(WILD, direction)))
    assert len(found) > 5
    for x, y in found:
        assert math.isfinite(x + y)
        assert -1 <= x <= width + 1
        assert -1 <= y <= height + 1


def test_of_very_many_slots_a_parameter_that_few_of_them_have_is_drawn_too():
    many = [
        attempt(n, 1 - n / 1000, params={"lr": 0.01, **({"momentum": n} if n in (501, 503) else {})})
        for n in range(600)
    ]
    everywhere, seldom = slices(trials(many), SPACE, ["lr", "momentum"], "c0")
    assert (everywhere.count("h0"), seldom.count("h0")) == (MOST_POINTS, 2)


def test_the_line_of_the_best_never_gets_worse():
    svg = best_so_far(trials([attempt(n, v) for n, v in enumerate((0.7, 0.9, 0.8, 0.95, 0.6))]), over="slot")
    (path,) = (e for e in ElementTree.fromstring(svg).iter() if e.get("class") == "line best")
    heights = [float(height) for height in re.findall(r"V([\d.]+)", path.get("d"))]
    assert heights == sorted(heights, reverse=True)  # upwards on the screen
    assert len(set(heights)) == 2  # 0.9 and 0.95; the first value is where the line begins


def test_a_pruned_slot_is_faint_and_never_counts_as_best():
    svg = best_so_far(trials([attempt(0, 0.8), attempt(1, 0.99, "pruned")]), over="slot")
    assert 'class="dot c0 faint"' in svg
    assert "0.8 at first, 0.8 at the end" in svg


def test_the_defaults_line_lies_at_its_value():
    svg = ElementTree.fromstring(best_so_far(trials([attempt(0, 0.8), attempt(1, 0.9)]), over="slot"))
    (line,) = (element for element in svg.iter() if element.get("class") == "default")
    first = next(e for e in svg.iter() if e.get("class") == "line best").get("d")
    assert line.get("y1") == line.get("y2") == re.match(r"M\S+ ([\d.]+)", first)[1]


def test_time_is_measured_in_minutes_where_a_search_took_hours():
    slots = [attempt(n, 0.9) for n in range(3000)]
    assert "minutes of searching" in best_so_far(trials(slots), over="time")
    assert "seconds of searching" in best_so_far(trials(slots[:20]), over="time")


def test_the_winner_is_ringed_and_its_curve_stands_out():
    slots = trials([attempt(0, 0.8), attempt(1, 0.9)], winner=1)
    assert best_so_far(slots, over="slot").count('class="winner"') == 1
    assert learning_curves(slots).count('class="line best"') == 1


def test_a_log_scale_gives_each_decade_equal_room():
    x = across(Frame(), 1e-4, 1e-1, log=True)
    steps = [x.at(10.0**power) for power in (-4, -3, -2, -1)]
    assert [round(b - a, 6) for a, b in itertools.pairwise(steps)] == [round(x.at(1e-3) - x.at(1e-4), 6)] * 3
    assert x.ticks() == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1])


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3, 7), (0.99, 0.9999), (1e5, 1e7), (5, 5), (-1e30, 1e30)])
def test_ticks_lie_between_the_ends_and_are_few(low, high):
    ticks = Scale(low, high, 0, 100).ticks()
    assert 1 <= len(ticks) <= 8
    slack = 1e-6 * (high - low)
    assert all(low - slack <= tick <= high + slack for tick in ticks)


def test_a_parameter_outside_its_range_widens_the_axis():
    axis = reach(SPACE["lr"], [0.5, 0.01], 0, 100)
    assert axis.scale.log
    assert (axis.scale.low, axis.scale.high) == (1e-4, 0.5)
    choices = reach(SPACE["optimizer"], ["sgd", "lion"], 0, 100)
    assert choices.choices == ("sgd", "adam", "adamw", "lion")
    assert 0 < choices.at("lion") < 100


def test_a_slot_without_a_parameter_breaks_its_line():
    slots = [attempt(0, params={"a": 1, "b": 2, "c": 1}), attempt(1, params={"a": 2, "c": 3})]
    svg = parallel_coordinates(trials(slots), {}, ("a", "b", "c"))
    (path,) = (e.get("d") for e in ElementTree.fromstring(svg).iter() if e.get("class") == "line top")
    assert path.count("M") == 2
    assert sorted(part.count(" ") for part in path.split("M")[1:]) == [2, 6]  # `c` to value; then all four


@pytest.mark.parametrize(("names", "width"), [(("a",), 760), (("a", "b"), 760), (tuple("abcdefgh"), 92 * 8 + 190)])
def test_few_axes_are_as_wide_as_a_page_so_that_words_are_not_stretched(names, width):
    slots = [attempt(number, params=dict.fromkeys(names, number)) for number in range(2)]
    svg = ElementTree.fromstring(parallel_coordinates(trials(slots), {}, names))
    assert svg.get("viewBox").split()[2] == str(width)


def test_faint_bars_are_those_that_may_be_chance():
    svg = importance_bars([Importance("lr", 0.6, 1e-9, 50), Importance("depth", 0.01, 0.3, 50)], "accuracy")
    assert svg.count("may be chance") == 1
    assert "lr 60 %" in svg
    assert 'class="bar faint"' in svg


def test_a_sample_keeps_the_best_and_spreads_over_the_rest():
    found = sample(range(1000), 100)
    assert found[:50] == list(range(50))
    assert len(found) == len(set(found)) == 100
    assert found[-1] > 975
    assert sample(range(5), 100) == [0, 1, 2, 3, 4]


def test_words_for_the_screen_reader_are_escaped():
    svg = figure([], Frame(), alt='a "quoted" <b>')
    assert ElementTree.fromstring(svg).get("aria-label") == 'a "quoted" <b>'


def ticks_of(svg, css="tick end"):
    return [element.text for element in ElementTree.fromstring(svg).iter("text") if element.get("class") == css]


def test_no_exponent_stands_at_an_axis():
    slots = trials([attempt(n, 4e6 + 3e5 * n, params={"rate": 2e5 * n}) for n in range(8)], "minimize")
    for drawn in (best_so_far(slots, over="slot"), slices(slots, {}, ["rate"], "c0")[0]):
        assert "e+" not in drawn
        assert "4.5M" in ticks_of(drawn) or "5M" in ticks_of(drawn)


def test_ticks_close_to_each_other_have_different_names():
    slots = trials([attempt(n, 14.62 + 0.02 * n) for n in range(6)], "minimize")
    names = ticks_of(best_so_far(slots, over="slot"))
    assert len(names) == len(set(names)) > 3
    assert len({len(name) for name in names}) == 1


def test_an_axis_names_no_value_that_the_metric_cannot_have():
    slots = trials([attempt(n, value) for n, value in enumerate((0.7, 0.85, 0.98, 1.0))])
    for drawn in (best_so_far(slots, over="slot"), parallel_coordinates(slots, SPACE, ["lr"])):
        names = [float(name) for name in [*ticks_of(drawn), *ticks_of(drawn, "tick halo")]]
        assert max(names) == 1.0
    assert ticks_of(best_so_far(trials([attempt(0, 0.0), attempt(1, 0.0)], "minimize"), over="slot"))[0].startswith("0")
