"""Our metrics equal scikit-learn's, and are fast enough for the epoch loop."""

import time

import numpy as np
import pytest
import sklearn.metrics as reference

from automl.errors import ConfigError, DataError
from automl.tasks.metrics import METRICS, measure, measure_all


def _classes(rows: int = 300, classes: int = 4, seed: int = 0, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), size=rows).astype(dtype)
    return rng.integers(0, classes, rows), probabilities


def _numbers(rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    target = rng.normal(200, 30, rows)
    return target, target + rng.normal(0, 10, rows)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", reference.accuracy_score),
        ("balanced_accuracy", reference.balanced_accuracy_score),
        ("f1_macro", lambda target, predicted: reference.f1_score(target, predicted, average="macro")),
    ],
)
def test_metrics_of_labels_equal_scikit_learn(name, expected, seed):
    target, probabilities = _classes(rows=60, classes=5, seed=seed)
    target[target == 3] = 2  # a class that is predicted but never true
    assert measure(name, target, probabilities) == pytest.approx(expected(target, probabilities.argmax(axis=1)))


def test_f1_macro_skips_a_class_that_is_neither_true_nor_predicted():
    target, probabilities = _classes()
    probabilities[:, 3] = 0
    target[target == 3] = 0
    expected = reference.f1_score(target, probabilities.argmax(axis=1), average="macro")
    assert measure("f1_macro", target, probabilities) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log_loss_equals_scikit_learn_even_for_a_certain_mistake(dtype):
    target, probabilities = _classes(dtype=dtype)
    probabilities[0] = np.eye(4)[(target[0] + 1) % 4]
    expected = reference.log_loss(target, probabilities, labels=range(4))
    assert measure("log_loss", target, probabilities) == pytest.approx(expected, rel=1e-6)


def test_roc_auc_equals_scikit_learn_with_ties():
    target, probabilities = _classes(classes=2)
    probabilities = probabilities.round(1)
    assert measure("roc_auc", target, probabilities) == pytest.approx(
        reference.roc_auc_score(target, probabilities[:, 1])
    )


@pytest.mark.parametrize("decimals", [1, 8])
def test_roc_auc_of_many_classes_equals_scikit_learns_one_versus_rest(decimals):
    target, probabilities = _classes(classes=4)
    probabilities = probabilities.round(decimals)
    areas = [reference.roc_auc_score(target == label, probabilities[:, label]) for label in range(4)]
    assert measure("roc_auc", target, probabilities) == pytest.approx(np.mean(areas))
    if decimals == 8:  # scikit-learn wants rows that add up to 1
        expected = reference.roc_auc_score(target, probabilities, multi_class="ovr")
        assert measure("roc_auc", target, probabilities) == pytest.approx(expected)


def test_roc_auc_leaves_a_class_without_rows_out():
    target, probabilities = _classes(classes=4)
    target[target == 3] = 0
    areas = [reference.roc_auc_score(target == label, probabilities[:, label]) for label in range(3)]
    assert measure("roc_auc", target, probabilities) == pytest.approx(np.mean(areas))


@pytest.mark.parametrize("decimals", [1, 8])
def test_metrics_of_class_1_equal_scikit_learn_with_ties(decimals):
    target, probabilities = _classes(classes=2)
    probabilities = probabilities.round(decimals)
    score = probabilities[:, 1]
    assert measure("average_precision", target, probabilities) == pytest.approx(
        reference.average_precision_score(target, score)
    )
    assert measure("f1", target, probabilities) == pytest.approx(
        reference.f1_score(target, probabilities.argmax(axis=1))
    )


def test_rmsle_counts_what_is_predicted_too_low_as_0_or_as_the_least_target():
    assert measure("rmsle", np.array([0.0, np.e - 1]), np.array([-9.0, 0.0])) == pytest.approx(np.sqrt(0.5))
    assert measure("rmsle", np.array([-0.5, 1.0]), np.array([-9.0, 1.0])) == 0.0


def test_f1_is_0_where_class_1_neither_occurs_nor_is_predicted():
    assert measure("f1", np.array([0, 0]), np.array([[0.9, 0.1], [0.6, 0.4]])) == 0.0


@pytest.mark.parametrize(
    ("name", "target", "prediction", "message"),
    [
        ("f1", *_classes(classes=3), "f1 needs two classes, but got 3"),
        ("average_precision", *_classes(classes=3), "average_precision needs two classes, but got 3"),
        ("average_precision", np.array([0, 0]), np.full((2, 2), 0.5), "needs rows of class 1, but none of 2 is"),
        ("roc_auc", np.array([1, 1]), np.full((2, 2), 0.5), "needs rows of two classes or more, but all 2 rows"),
        ("rmsle", np.array([1.0, -1.0]), np.array([1.0, 1.0]), "above -1, but got -1"),
    ],
)
def test_rows_that_do_not_admit_a_metric_are_refused(name, target, prediction, message):
    with pytest.raises(DataError, match=message):
        measure(name, target, prediction)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rmse", reference.root_mean_squared_error),
        ("mae", reference.mean_absolute_error),
        ("r2", reference.r2_score),
        ("rmsle", reference.root_mean_squared_log_error),
        ("mape", reference.mean_absolute_percentage_error),
        ("pinball", reference.mean_pinball_loss),
    ],
)
def test_metrics_of_numbers_equal_scikit_learn(name, expected):
    target, prediction = _numbers()
    assert measure(name, target, prediction) == pytest.approx(expected(target, prediction))


def test_mape_of_a_target_of_0_equals_scikit_learn():
    target, prediction = np.array([0.0, 2.0]), np.array([0.5, 1.0])
    expected = reference.mean_absolute_percentage_error(target, prediction)
    assert measure("mape", target, prediction) == pytest.approx(expected)


@pytest.mark.parametrize("offset", [0.0, 1.0])
def test_r2_of_a_constant_target_equals_scikit_learn(offset):
    target = np.full(10, 3.0)
    assert measure("r2", target, target + offset) == reference.r2_score(target, target + offset)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", METRICS)
def test_a_prediction_that_is_not_finite_measures_nan(name, bad):
    target, prediction = _classes(classes=2) if METRICS[name].kind == "classification" else _numbers()
    prediction.flat[0] = bad
    assert np.isnan(measure(name, target, prediction))


def test_all_metrics_of_a_kind_leave_out_what_is_no_finite_number_or_not_admitted():
    target = np.array([1.0, 2.0, -2.0])
    found = measure_all("regression", target, np.array([1.0, 1e200, 1.0]))
    assert set(found) == {"mae", "mape", "pinball"}


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(ConfigError, match="Did you mean 'accuracy'"):
        measure("acuracy", *_classes())


@pytest.mark.parametrize("name", ["accuracy", "rmse"])
def test_a_metric_of_300_rows_takes_less_than_50_microseconds(name):
    target, prediction = _classes(classes=10) if name == "accuracy" else _numbers()
    best = min(_seconds(name, target, prediction) for _ in range(200))
    assert best < 50e-6


def _seconds(name: str, target: np.ndarray, prediction: np.ndarray) -> float:
    start = time.perf_counter()
    measure(name, target, prediction)
    return time.perf_counter() - start
