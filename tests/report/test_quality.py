"""What is drawn of the test rows is what the score left: counts, errors, calibration and the rows that were predicted worst."""

import dataclasses
import struct
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest
from samples import material, score

from automl.ledger import SearchFolder
from automl.report.picture import MOST_PIXELS, png
from automl.report.quality import (
    MOST_CLASSES,
    calibration,
    confidence_bins,
    confused_pairs,
    confusion,
    gains,
    residuals,
)
from automl.report.scored import Scored, read_scored

LABELS = ("ant", "bee", "cat")


def _classes(target, taken, sure=0.8, labels=LABELS):
    prediction = np.full((len(target), len(labels)), (1 - sure) / (len(labels) - 1))
    prediction[np.arange(len(target)), taken] = sure
    return Scored(np.array(target), prediction, labels, {})


def test_confusion_counts_true_classes_down_and_predicted_ones_across():
    found = confusion(_classes([0, 0, 0, 1, 2], [0, 0, 1, 1, 0]))
    assert found.counts == [[2, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert found.shades == [[3, 2, 0], [0, 4, 0], [4, 0, 0]]


def test_confusion_is_that_of_the_decisions_and_not_of_the_most_probable_class():
    scored = dataclasses.replace(_classes([0, 1, 1], [0, 0, 0], sure=0.7, labels=("ant", "bee")), threshold=0.2)
    assert confusion(scored).counts == [[0, 1], [0, 2]]


def test_many_classes_are_shown_as_their_commonest_mistakes():
    labels = tuple(f"c{place}" for place in range(MOST_CLASSES + 1))
    scored = _classes([0, 0, 1, 2], [1, 1, 1, 3], labels=labels)
    assert confusion(scored) is None
    assert confused_pairs(scored) == [("c0", "c1", 2), ("c2", "c3", 1)]


def test_errors_of_numbers_are_true_minus_predicted():
    scored = Scored(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0]), (), {})
    scatter, histogram = residuals(scored)
    assert "3 test rows" in scatter
    assert "mean 1, standard deviation 0" in histogram
    assert residuals(_classes([0], [0])) == ("", "")


def test_bins_hold_equally_many_rows_and_compare_sure_with_right():
    bins = confidence_bins(_classes([0] * 100, [0] * 70 + [1] * 30, sure=0.8))
    assert [one["rows"] for one in bins] == [10] * 10
    assert all(one["confidence"] == pytest.approx(0.8) for one in bins)
    assert np.mean([one["accuracy"] for one in bins]) == pytest.approx(0.7)


def test_calibration_draws_the_bins_it_is_given_but_empty_ones():
    svg = calibration(
        [{"confidence": 0.9, "accuracy": 0.75, "rows": 40}, {"confidence": 0.5, "accuracy": 0.0, "rows": 0}]
    )
    assert "90% sure, 75% right, 40 rows" in svg
    assert "50% sure" not in svg
    assert calibration([]) == ""


def test_a_gain_is_marked_by_its_whole_interval():
    svg = gains(
        {"default": [0.02, 0.01, 0.03], "linear": [0.01, -0.01, 0.03], "boosted_trees": [-0.05, -0.06, -0.04]},
        "accuracy",
    )
    marks = [e.get("class") for e in ElementTree.fromstring(svg).iter() if "whisker" in (e.get("class") or "")]
    assert marks == ["whisker good", "whisker even", "whisker bad"]


def test_the_worst_rows_are_shown_with_what_was_predicted(tmp_path):
    target, prediction = np.array([0, 1, 2]), np.array([[0.1, 0.7, 0.2], [0.2, 0.6, 0.2], [0.3, 0.3, 0.4]])
    done = score(
        tmp_path, target, prediction, labels=np.array(LABELS), rows=np.array([0, 2]), inputs=np.zeros((2, 1, 4, 4))
    )
    wrong, unsure = read_scored([done], SearchFolder(tmp_path)).examples()
    assert (wrong.row, wrong.true, wrong.predicted, wrong.note) == (0, "ant", "bee", "70% sure")
    assert (unsure.true, unsure.predicted, unsure.note) == ("cat", "cat", "right, but only 40% sure")
    assert wrong.picture.startswith("data:image/png;base64,")


def test_features_of_a_table_are_told_in_their_own_units(tmp_path):
    shown = {
        "columns": np.array(["age", "height", "weight", "city"]),
        "cells": np.array([["41", "1.4", "79", "Oslo"]]),
        "unusual": np.array([[-0.04, -3.0, 1.0, 0.0]]),
    }
    done = score(tmp_path, np.array([5.0]), np.array([2.0]), inputs=np.zeros((1, 6)), **shown)
    (example,) = read_scored([done], SearchFolder(tmp_path)).examples()
    assert example.features == ("height = 1.4 (-3.0 sd)", "weight = 79 (+1.0 sd)", "age = 41 (+0.0 sd)", "city = Oslo")
    assert example.note == "off by 3"


def test_rows_are_decided_by_the_threshold_of_what_is_exported(tmp_path):
    target, prediction = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.7, 0.3], [0.6, 0.4]])
    done = score(tmp_path, target, prediction, labels=np.array(["ant", "bee"]))
    others, lines = {"single": prediction, "model": prediction, "linear": prediction}, np.array([0.9, 0.2, 0.6])
    np.savez(tmp_path / "artifacts" / "predictions.npz", target=target, **others, thresholds=lines)
    scored = read_scored([done], SearchFolder(tmp_path))
    assert scored.threshold == 0.2
    assert confusion(scored).counts == [[1, 0], [0, 2]]


def test_rows_are_those_of_the_score_that_the_document_tells_of(tmp_path):
    """An earlier result stands until there is another: a search that goes on may have scored its next winner already."""
    told, later = tmp_path / "told", tmp_path / "later"
    for folder in (told, later):
        folder.mkdir()
    first = score(told, np.array([0, 1]), np.eye(2))
    second = score(later, np.array([0, 1]), np.eye(2)[::-1])
    for one, where in ((first, told), (second, later)):
        for name, artifact in one.outcome.artifacts.items():
            one.outcome.artifacts[name] = dataclasses.replace(artifact, path=f"{where.name}/{artifact.path}")
    outcome = dataclasses.replace(second.outcome, assignment="score-9-0-0")
    second = dataclasses.replace(second, slot=9, outcome=outcome)

    def drawn(**document):
        return material([first, second], tmp_path, **document).scored.prediction.tolist()

    assert drawn(score="score-1-0-0") == [[1.0, 0.0], [0.0, 1.0]]
    assert drawn(score="score-9-0-0") == drawn() == [[0.0, 1.0], [1.0, 0.0]]  # the last, where a document names none


@pytest.mark.parametrize("content", [b"PK\x03\x04 not an archive", b"not even that", b""])
def test_what_is_gone_or_damaged_is_an_absent_section(tmp_path, content):
    done = score(tmp_path, np.array([0]), np.array([[0.9, 0.1]]))
    (tmp_path / "artifacts" / "hardest.npz").write_bytes(content)
    scored = read_scored([done], SearchFolder(tmp_path))
    assert scored.labels == ("0", "1")
    assert scored.examples() == []
    (tmp_path / "artifacts" / "predictions.npz").unlink()
    assert read_scored([done], SearchFolder(tmp_path)) is None
    assert read_scored([], SearchFolder(tmp_path)) is None


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 7), (1, 200, 300)])
def test_a_picture_is_a_png_of_its_pixels(shape):
    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    content = png(values)
    width, height, depth, kind = struct.unpack(">IIBB", content[16:26])
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert (depth, kind) == (8, 2 if shape[0] == 3 else 0)
    assert max(width, height) <= MOST_PIXELS
    size = struct.unpack(">I", content[33:37])[0]
    rows = np.frombuffer(zlib.decompress(content[41 : 41 + size]), np.uint8).reshape(height, -1)
    assert (rows[:, 0] == 0).all()
    assert rows[0, 1] == 0
    assert rows.shape[1] == 1 + width * shape[0]


@pytest.mark.parametrize(("labels", "is_long"), [("0123456789", False), (("no income at all", "some"), True)])
def test_names_of_classes_that_need_more_room_than_a_matrix_has_stand_upright(labels, is_long):
    assert confusion(_classes([0, 1], [0, 1], labels=tuple(labels))).is_long is is_long
