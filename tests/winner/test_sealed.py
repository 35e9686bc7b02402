"""Intervals cover what they promise, repeat by seed, and do not claim certainty from a few right answers."""

import time

import numpy as np
import pytest

from automl.errors import StorageError
from automl.tasks.metrics import METRICS, measure
from automl.winner import bootstrap, paired_difference, read_importance, read_scores


def _classes(rows: int, right: float, seed: int, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Predictions that are right in a share `right` of the rows."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, classes, rows)
    guess = np.where(rng.random(rows) < right, target, (target + 1) % classes)
    return target, np.eye(classes)[guess] * 0.8 + 0.2 / classes


@pytest.mark.parametrize("name", METRICS)
def test_an_interval_holds_its_value_for_every_metric(name):
    if METRICS[name].kind == "classification":
        target, prediction = _classes(60, 0.8, seed=1, classes=2)
    else:
        target = np.random.default_rng(0).normal(10, 1, size=60)  # above -1: rmsle takes no other
        prediction = target + np.random.default_rng(1).normal(size=60)
    interval = bootstrap(name, target, prediction, seed=0)
    assert interval.value == measure(name, target, prediction)
    assert interval.low < interval.value < interval.high


def test_the_fast_way_agrees_with_measuring_every_resample():
    target, prediction = _classes(80, 0.7, seed=2)
    rng = np.random.default_rng(5)
    drawn = rng.integers(0, 80, size=(2000, 80))
    slow = np.quantile([measure("accuracy", target[at], prediction[at]) for at in drawn], [0.025, 0.975])
    interval = bootstrap("accuracy", target, prediction, seed=5)
    assert (interval.low, interval.high) == pytest.approx(tuple(slow))


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc"])
def test_of_very_many_rows_some_are_resampled_and_the_interval_is_as_narrow_as_all_would_make_it(metric, monkeypatch):
    target, prediction = _classes(4000, 0.7, seed=2, classes=2)
    other = _classes(4000, 0.6, seed=2, classes=2)[1]
    whole, difference = (
        bootstrap(metric, target, prediction, seed=5),
        paired_difference(metric, target, prediction, other, seed=5),
    )
    monkeypatch.setattr("automl.winner.sealed._MOST_ROWS", 1000)
    some, between = (
        bootstrap(metric, target, prediction, seed=5),
        paired_difference(metric, target, prediction, other, seed=5),
    )
    for few, all_ in ((some, whole), (between, difference)):
        assert few.value == all_.value
        assert few.high - few.low == pytest.approx(all_.high - all_.low, rel=0.15)
        assert few.low < few.value < few.high


@pytest.mark.parametrize("classes", [2, 3])
def test_areas_of_all_resamples_at_once_agree_with_measuring_each(classes):
    rng = np.random.default_rng(2)
    target = rng.integers(0, classes, 60)
    prediction = np.round(rng.random((60, classes)) * 0.5 + np.eye(classes)[target] * 0.3, 1)  # with ties
    drawn = np.random.default_rng(5).integers(0, 60, size=(2000, 60))
    slow = np.quantile([measure("roc_auc", target[at], prediction[at]) for at in drawn], [0.025, 0.975])
    interval = bootstrap("roc_auc", target, prediction, seed=5)
    assert (interval.low, interval.high) == pytest.approx(tuple(slow))
    rare = bootstrap("roc_auc", np.array([0, 0, 0, 1]), prediction[:4], seed=0)  # some resamples are of one class
    assert rare.low <= rare.value <= rare.high


def test_95_percent_intervals_cover_the_truth_90_to_98_times_in_100():
    covered = 0
    for seed in range(100):
        interval = bootstrap("accuracy", *_classes(200, 0.8, seed), seed=seed)
        covered += interval.low <= 0.8 <= interval.high
    assert 90 <= covered <= 98


def test_95_percent_intervals_of_an_error_cover_the_truth_90_to_98_times_in_100():
    covered = 0
    for seed in range(400):
        target = np.random.default_rng(seed).normal(size=200)
        interval = bootstrap("rmse", target, np.zeros(200), seed=seed)
        covered += interval.low <= 1.0 <= interval.high
    assert 0.90 <= covered / 400 <= 0.98


def test_equal_seeds_give_equal_intervals():
    target, prediction = np.random.default_rng(0).normal(size=(2, 100))
    first, second, other = (bootstrap("mae", target, prediction, seed=seed) for seed in (1, 1, 2))
    assert first == second != other


def test_all_right_is_not_certainty():
    target, prediction = _classes(35, 1.0, seed=0)
    interval = bootstrap("accuracy", target, prediction, seed=0)
    assert (interval.value, interval.high) == (1.0, 1.0)
    assert interval.low == pytest.approx(0.9, abs=0.005)  # 0.025 ** (1 / 35)


def test_where_all_are_right_groups_are_counted_and_not_their_rows():
    target, prediction = _classes(70, 1.0, seed=0)
    grouped = bootstrap("accuracy", target, prediction, seed=0, clusters=np.arange(70) // 10)
    assert (grouped.value, grouped.high) == (1.0, 1.0)
    assert grouped.low == pytest.approx(0.59, abs=0.005)  # 0.025 ** (1 / 7)


def test_all_wrong_is_not_certainty_either():
    interval = bootstrap("accuracy", *_classes(35, 0.0, seed=0), seed=0)
    assert (interval.value, interval.low) == (0.0, 0.0)
    assert interval.high == pytest.approx(0.1, abs=0.005)


def test_a_paired_difference_is_narrower_than_the_two_intervals():
    target, prediction = _classes(300, 0.8, seed=0)
    other = prediction.copy()
    other[:6] = np.roll(prediction[:6], 1, axis=1)
    single = bootstrap("accuracy", target, prediction, seed=0)
    paired = paired_difference("accuracy", target, prediction, other, seed=0)
    assert paired.high - paired.low < (single.high - single.low) / 2
    assert paired.low <= paired.value <= paired.high


def test_equal_predictions_differ_by_nothing():
    target, prediction = _classes(100, 0.8, seed=0)
    difference = paired_difference("accuracy", target, prediction, prediction, seed=0)
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)


def test_many_rows_take_bounded_memory_and_little_time():
    target, prediction = _classes(20_000, 0.9, seed=0)
    began = time.perf_counter()
    interval = bootstrap("accuracy", target, prediction, seed=0)
    assert time.perf_counter() - began < 5
    assert interval.high - interval.low < 0.01


def test_saved_predictions_that_cannot_be_read_are_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match=r"none\.npz"):
        read_scores(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(StorageError, match=r"bad\.npz"):
        read_scores(tmp_path / "bad.npz")
    np.savez(tmp_path / "pickled.npz", target=np.array([{}], dtype=object))
    with pytest.raises(StorageError, match=r"pickled\.npz"):
        read_scores(tmp_path / "pickled.npz")


def test_importance_is_read_in_its_order_and_what_is_no_number_is_left_out(tmp_path):
    values = np.array([[0.2, 0.01], [np.nan, 0.1], [0.0, 0.0]])
    np.savez(tmp_path / "found.npz", columns=np.array(["b", "nan", "a"]), importance=values)
    assert list(read_importance(tmp_path / "found.npz").items()) == [("b", [0.2, 0.01]), ("a", [0.0, 0.0])]
    np.savez(tmp_path / "note.npz", note=np.array("no time"))
    assert read_importance(tmp_path / "note.npz") == {}
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(StorageError, match=r"bad\.npz"):
        read_importance(tmp_path / "bad.npz")


@pytest.mark.parametrize("read", [read_scores, read_importance])
def test_an_empty_file_of_predictions_is_a_storage_error(tmp_path, read):
    (tmp_path / "empty.npz").touch()
    with pytest.raises(StorageError, match=r"empty\.npz"):
        read(tmp_path / "empty.npz")
