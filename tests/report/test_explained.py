"""What the model goes by is drawn as it was found: bars with their errors, heat where it is, each word with its shade."""

import struct
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest
from samples import coloured, followed, heated, important, material, score

from automl.ledger import SearchFolder
from automl.report.explained import LONGEST_WORD, MOST_BARS, MOST_WORDS, columns, rows
from automl.report.page import render
from automl.report.picture import heat
from automl.report.scored import read_scored

TARGET, PREDICTION = np.array([0, 1]), np.array([[0.9, 0.1], [0.8, 0.2]])
LABELS = {"labels": np.array(["ham", "spam"])}


def _scored(folder, explained):
    return read_scored([score(folder, TARGET, PREDICTION, explained, **LABELS)], SearchFolder(folder))


def test_a_bar_per_column_has_its_kind_and_a_whisker_of_its_error():
    found = columns(important("age", "town", "day"), "accuracy")
    svg = ElementTree.fromstring(found.figure)
    assert [e.text for e in svg.iter() if "end" in (e.get("class") or "")] == [
        "age", "number", "town", "category", "day", "date",
    ]  # fmt: skip
    bars = [float(e.get("width")) for e in svg.iter() if e.get("class") == "bar"]
    whiskers = [float(e.get("x2")) - float(e.get("x1")) for e in svg.iter() if e.get("class") == "whisker over"]
    assert bars[0] / whiskers[0] == pytest.approx(0.3 / (2 * 0.02), rel=0.02)
    assert "age (number) 0.300, standard error 0.020" in svg.get("aria-label")
    assert found.rows[2] == ("day", "date", "-0.010", "0.020")
    assert found.told == "Each column was shuffled 5 times among 300 test rows."


def test_of_many_columns_the_first_are_drawn_and_all_are_listed():
    found = columns(important(*(f"column {place}" for place in range(50)), known=900), "rmse")
    assert found.figure.count('class="bar"') == MOST_BARS
    assert len(found.rows) == 50
    assert "Of 900 columns those 50" in found.told


def test_large_losses_are_spelled_as_everywhere():
    found = important("area", "rooms", "year")
    found["importance"] = np.array([[30516.2, 3274.4], [5235.0, 637.0], [-0.3, 258.0]])
    drawn = columns(found, "rmse")
    assert "30,516 ± 3274" in drawn.figure
    assert [row[2:] for row in drawn.rows] == [("30,516", "3274"), ("5235", "637"), ("0", "258")]


def test_numbers_that_are_none_do_not_break_the_figure():
    wild = important("a", "b", "c")
    wild["importance"] = np.array([[np.nan, np.nan], [np.inf, 1.0], [0.0, np.nan]])
    assert columns(wild, "accuracy").figure.count('class="bar"') == 1
    assert columns({}, "accuracy") is None


def _pixels(content):
    width, height = struct.unpack(">II", content[16:24])
    size = struct.unpack(">I", content[33:37])[0]
    lines = np.frombuffer(zlib.decompress(content[41 : 41 + size]), np.uint8).reshape(height, -1)
    return lines[:, 1:].reshape(height, width, 3).astype(int)


@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 100)])
def test_heat_is_blue_for_and_orange_against_and_grey_elsewhere(channels, size):
    values = np.random.default_rng(0).normal(size=(channels, size, size))
    attributions = np.zeros((size, size))
    attributions[0, 0], attributions[-1, -1] = 1.0, -1.0  # with 100 pixels a side: between those that are kept
    pixels = _pixels(heat(values, attributions))
    assert pixels[0, 0, 2] > pixels[0, 0, 0] + 200
    assert pixels[-1, -1, 0] > pixels[-1, -1, 2] + 200
    assert np.ptp(pixels[1:-1, 1:-1], axis=2).max() == 0


def test_pictures_show_wrong_rows_first_and_say_where_the_heat_is(tmp_path):
    right, wrong = rows(_scored(tmp_path, heated(np.zeros((2, 1, 8, 8)), [0, 1])))[::-1]
    assert (wrong.row, wrong.true, wrong.predicted, wrong.right, wrong.note) == (1, "spam", "ham", False, "80% sure")
    assert (right.row, right.right, right.note) == (0, True, "90% sure")
    assert right.told == "Strongest in the upper left of the picture."
    assert right.heat.startswith("data:image/png;base64,")


def test_words_are_shaded_by_their_share_and_named_with_their_sums(tmp_path):
    text, values = "Win a  PRIZE, win now", [0.1, 0.0, 1.0, -0.5, 0.3, 0.01]
    (one,) = rows(_scored(tmp_path, coloured([text], [values], [0])))
    assert "".join(piece.text for piece in one.pieces) == "Win a PRIZE, win now"
    assert [(piece.text, piece.css) for piece in one.pieces if piece.css] == [
        ("PRIZE", "for3"), (",", "con2"), ("win", "for1"),
    ]  # fmt: skip
    assert one.told == "For: “prize” +1, “win” +0.4, “now” +0.01. Against: “,” -0.5."


def test_of_a_long_text_the_part_that_tells_is_shown(tmp_path):
    values = np.zeros(500)
    values[400] = 1.0
    text = " ".join(["x" * 1000 if place == 400 else f"w{place}" for place in range(600)])
    (one,) = rows(_scored(tmp_path, coloured([text], [values.tolist()], [0])))
    shown = [piece for piece in one.pieces if piece.text.strip(" …")]
    assert len(shown) == MOST_WORDS
    assert (one.pieces[0].text, one.pieces[-1].text) == ("… ", " …")
    assert max(len(piece.text) for piece in shown) == LONGEST_WORD


@pytest.mark.parametrize("text", ["", "İstanbul and ı", "\u202ea b\x00", "  "])
def test_no_text_is_too_strange(text, tmp_path):
    (one,) = rows(_scored(tmp_path, coloured([text], [[0.5, -0.5, 0.1]], [0])))
    page = render(
        material([score(tmp_path, TARGET, PREDICTION, coloured([text], [[0.5, -0.5]], [0]), **LABELS)], tmp_path)
    )
    assert 'id="why"' in page
    assert "\u202e" not in page
    assert one.told


def test_a_note_stands_where_nothing_was_explained(tmp_path):
    page = render(material([score(tmp_path, TARGET, PREDICTION, {"note": 'pip install "it"'}, **LABELS)], tmp_path))
    assert "pip install &#34;it&#34;" in page
    assert 'id="why"' in page
    assert 'id="why"' not in render(material([score(tmp_path, TARGET, PREDICTION, **LABELS)], tmp_path))


def _strokes(svg, css):
    return [e.get("d") for e in svg.iter() if (e.get("class") or "") == f"line {css}"]


def _points(path):
    return len(path.replace("M", " ").replace("L", " ").split()) // 2


def test_a_series_is_thick_where_a_step_carries_much_and_says_which(tmp_path):
    values = np.zeros((1, 1, 24))
    values[0, 0, 4:6], values[0, 0, 20], values[0, 0, 10] = 1.0, -0.6, 0.1
    (one,) = rows(_scored(tmp_path, followed(np.arange(24.0).reshape(1, 1, 24), values, [1])))
    svg = ElementTree.fromstring(one.figure)
    assert _points(_strokes(svg, "truth")[0]) == 24  # the whole line, thin
    (strong,), (against,) = _strokes(svg, "for3"), _strokes(svg, "con2")
    assert strong.count("M") == against.count("M") == 1
    assert _points(strong) == 4  # two steps, and half way to those beside them
    assert not _strokes(svg, "for1")
    assert one.told == "For: steps 5 to 6, steps 11 to 12. Against: steps 21 to 22."
    assert svg.get("aria-label") == f"Series of test row 1. {one.told}"


def test_a_forecast_shows_what_came_and_what_was_predicted_and_the_channels_that_carry_most(tmp_path):
    target, prediction = np.array([[1.0, np.nan, 3.0], [4.0, 5.0, 6.0]]), np.zeros((2, 3))
    lines, values = np.random.default_rng(0).normal(size=(2, 4, 8)), np.zeros((2, 4, 8))
    values[:, 1, 7], values[:, 3, 2], values[:, 2, 0] = 2.0, -1.0, 0.1
    found = followed(lines, values, [0, 1], begins=(-7, -4, -7, -7))
    scored = read_scored([score(tmp_path, target, prediction, found)], SearchFolder(tmp_path))
    first, _ = rows(scored)
    svg = ElementTree.fromstring(first.figure)
    assert [e.text for e in svg.iter() if e.get("class") == "name"] == ["sold", "price", "wind"]
    assert first.told == "Raises it: step 3 of price, step -7 of rain. Lowers it: step -5 of wind."
    assert len(_strokes(svg, "told")) == 1
    assert "nan" not in first.figure
    page = render(material([score(tmp_path, target, prediction, found)], tmp_path))
    assert "raises the forecast" in page
    assert page.count('aria-label="Series of test row') == 2


def test_what_a_shorter_series_lacks_is_not_drawn(tmp_path):
    line, values = np.array([np.nan, np.nan, 1.0, 2.0]), np.array([9.0, 0.0, 0.0, 5.0])
    (one,) = rows(_scored(tmp_path, followed(line[None, None], values[None, None], [0])))
    svg = ElementTree.fromstring(one.figure)
    assert _points(_strokes(svg, "truth")[0]) == 2
    assert len(_strokes(svg, "for2")) == 1
    assert "nan" not in one.figure


@pytest.mark.parametrize("value", [0.0, np.nan, 1e300])
def test_no_series_is_too_strange(value, tmp_path):
    found = followed(np.full((1, 2, 3), value), np.full((1, 2, 3), np.nan), [0])
    (one,) = rows(_scored(tmp_path, found))
    ElementTree.fromstring(one.figure)
    assert one.told == "For: no step. Against: no step."
