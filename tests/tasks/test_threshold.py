"""A threshold is what a metric may be expected to want: found where it is known, steady, no luck of the rows, and cheap."""

import time

import numpy as np
import pytest
import sklearn.metrics as reference

from automl.tasks.metrics import EVEN, METRICS, best_threshold, decide, judged, measure

TUNED = ("f1", "f1_macro", "balanced_accuracy")


def rare(rows: int, seed: int = 0, share: float = 0.06, sharper: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Classes with their true probabilities, whose log-odds are multiplied by `sharper`."""
    rng = np.random.default_rng(seed)
    target = (rng.random(rows) < share).astype(np.int64)
    odds = 1.8 * rng.normal(size=rows) + 1.8 * 1.8 * target - 1.62 + np.log(share / (1 - share))
    second = 1 / (1 + np.exp(-sharper * odds))
    return target, np.stack([1 - second, second], axis=1)


def test_a_known_threshold_is_found():
    target, prediction = rare(100_000)
    best = best_threshold("f1", target, prediction)
    assert best == pytest.approx(
        measure("f1", target, prediction, best) / 2, abs=0.01
    )  # half the best F1: Lipton et al. 2014
    assert best_threshold("balanced_accuracy", target, prediction) == pytest.approx(target.mean(), abs=0.005)


@pytest.mark.parametrize("name", TUNED)
def test_no_other_threshold_is_much_better_on_new_rows(name):
    new = rare(50_000, seed=99)
    grid = max(measure(name, *new, at) for at in np.linspace(0.01, 0.99, 99))
    found = np.mean([measure(name, *new, best_threshold(name, *rare(450, seed))) for seed in range(10)])
    assert found > measure(name, *new) + 0.02
    assert found > grid - 0.02


def test_a_value_at_the_chosen_threshold_is_hardly_the_luck_of_its_rows():
    new, lucky, ours = rare(50_000, seed=99), [], []
    for seed in range(30):
        rows = rare(450, seed)
        chosen = best_threshold("f1", *rows)
        luckiest = max(rows[1][:, 1] - 1e-9, key=lambda at, rows=rows: measure("f1", *rows, at))
        lucky.append(measure("f1", *rows, luckiest) - measure("f1", *new, luckiest))
        ours.append(measure("f1", *rows, chosen) - measure("f1", *new, chosen))
    assert np.mean(lucky) > 0.06
    assert abs(np.mean(ours)) < 0.03


@pytest.mark.parametrize("seed", range(8))
def test_a_rare_class_told_by_an_overconfident_model_has_a_threshold_that_serves(seed: int) -> None:
    """Log-odds of boosted trees on one row in a hundred: from -15 to 5. Whole steps of the fit leapt to and fro there."""
    rng = np.random.default_rng(seed)
    target = np.repeat([1, 0], [32, 3168])
    shares = [0.0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0]
    others = np.interp(rng.random(3168), shares, [-14.8, -14.5, -14.2, -13.8, -13, -12.4, -11, -9.3, -4.6, -0.5, 3])
    odds = np.concatenate([rng.uniform(-9, 5, 32), others])
    second = 1 / (1 + np.exp(-odds))
    prediction = np.stack([1 - second, second], axis=1)
    assert measure("f1", target, prediction, best_threshold("f1", target, prediction)) > 0.3


@pytest.mark.parametrize("name", TUNED)
def test_overconfidence_moves_the_threshold_and_no_decision(name):
    target, honest = rare(500)
    _, sharp = rare(500, sharper=3.0)
    first, second = best_threshold(name, target, honest), best_threshold(name, target, sharp)
    np.testing.assert_array_equal(decide(honest, first), decide(sharp, second))
    assert abs(first - second) > 0.01


@pytest.mark.parametrize("name", TUNED)
def test_classes_without_overlap_are_told_apart(name):
    target = np.arange(40) % 8 // 7
    second = 0.1 + 0.2 * target + np.linspace(0, 0.01, 40)
    threshold = best_threshold(name, target, np.stack([1 - second, second], axis=1))
    assert 0.11 < threshold < 0.3


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.kind == "classification"])
def test_where_nothing_can_be_known_or_gained_it_is_even(name):
    target, prediction = rare(60)
    of_three = np.full((60, 3), 1 / 3)
    assert best_threshold(name, np.zeros(60, dtype=np.int64), prediction) == EVEN
    assert best_threshold(name, target, of_three) == EVEN
    assert best_threshold(name, target, np.full((60, 2), np.nan)) == EVEN
    assert (best_threshold(name, target, prediction) == EVEN) is (name not in TUNED)


@pytest.mark.parametrize("name", TUNED)
def test_equal_probabilities_are_decided_alike(name):
    target = np.array([0] * 30 + [1] * 3)
    threshold = best_threshold(name, target, np.tile([0.9, 0.1], (33, 1)))
    assert threshold in (pytest.approx(0.05), pytest.approx(0.55))


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.8])
def test_metrics_of_decisions_equal_scikit_learn_at_any_threshold(threshold):
    target, prediction = rare(300, share=0.3)
    labels = prediction[:, 1] > threshold
    np.testing.assert_array_equal(decide(prediction, threshold), labels)
    assert measure("f1", target, prediction, threshold) == pytest.approx(reference.f1_score(target, labels))
    assert measure("accuracy", target, prediction, threshold) == pytest.approx(np.mean(target == labels))
    expected = reference.balanced_accuracy_score(target, labels)
    assert measure("balanced_accuracy", target, prediction, threshold) == pytest.approx(expected)
    assert measure("f1_macro", target, judged("f1_macro", prediction, threshold)) == pytest.approx(
        reference.f1_score(target, labels, average="macro")
    )
    assert measure("log_loss", target, prediction, threshold) == measure("log_loss", target, prediction)


def test_a_threshold_of_1000_rows_takes_less_than_5_milliseconds():
    target, prediction = rare(1000)
    assert min(_seconds(target, prediction) for _ in range(20)) < 5e-3


def _seconds(target: np.ndarray, prediction: np.ndarray) -> float:
    start = time.perf_counter()
    best_threshold("f1", target, prediction)
    return time.perf_counter() - start
