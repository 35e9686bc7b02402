"""Baselines: honest opponents, within a time limit."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from automl.data import Arrays, Schema
from automl.encoding import Number
from automl.worker import baselines


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(0)
    inputs = chance.normal(size=(300, 4))
    return inputs, (inputs[:, 0] * inputs[:, 1] > 0).astype(int)  # nothing that a linear model could see


def _fitted(rows: tuple[np.ndarray, np.ndarray], unknown: np.ndarray, classes: int) -> dict[str, np.ndarray]:
    labels = tuple("abc"[:classes])
    schema = Schema("toy", "classification", "table", "y", tuple(Number(name) for name in "pqrs"), labels)
    return baselines.fit_baselines(schema, Arrays(*rows), unknown, "accuracy")


def test_boosted_trees_are_scikit_learns_where_time_allows(rows: tuple[np.ndarray, np.ndarray]) -> None:
    plain = HistGradientBoostingClassifier(early_stopping=False, random_state=0).fit(*rows)
    found = _fitted(rows, rows[0], classes=2)
    assert np.array_equal(found["boosted_trees"], plain.predict_proba(rows[0]))
    assert (found["boosted_trees"].argmax(axis=1) == rows[1]).mean() > 0.9
    assert (found["linear"].argmax(axis=1) == rows[1]).mean() < 0.7


def test_boosting_stops_when_its_time_is_over(rows: tuple[np.ndarray, np.ndarray]) -> None:
    assert baselines.boost(HistGradientBoostingClassifier, *rows, [False] * 4, 0.0).n_iter_ == 10


def test_half_of_a_training_is_the_most_that_boosting_takes_of_a_time_budget(
    rows: tuple[np.ndarray, np.ndarray],
) -> None:
    schema = Schema("toy", "classification", "table", "y", tuple(Number(name) for name in "pqrs"), ("a", "b"))
    short = HistGradientBoostingClassifier(max_iter=10, early_stopping=False, random_state=0).fit(*rows)
    found = baselines.fit_baselines(schema, Arrays(*rows), rows[0], "accuracy", longest=0.0)
    assert np.array_equal(found["boosted_trees"], short.predict_proba(rows[0]))


def test_a_class_without_known_rows_keeps_probability_zero(rows: tuple[np.ndarray, np.ndarray]) -> None:
    found = _fitted(rows, rows[0][:5], classes=3)
    assert found["boosted_trees"].shape == (5, 3)
    assert not found["boosted_trees"][:, 2].any()
    assert not found["linear"][:, 2].any()


def test_of_more_than_two_classes_leaves_have_a_penalty(rows: tuple[np.ndarray, np.ndarray]) -> None:
    penalised = HistGradientBoostingClassifier(l2_regularization=1.0, early_stopping=False, random_state=0).fit(*rows)
    found = _fitted(rows, rows[0], classes=3)
    assert np.array_equal(found["boosted_trees"][:, :2], penalised.predict_proba(rows[0]))


@pytest.mark.parametrize(("metric", "constant"), [("rmse", "mean"), ("mae", "median"), ("mape", "median")])
def test_numbers_are_told_as_the_metric_asks(metric: str, constant: str) -> None:
    chance = np.random.default_rng(0)
    inputs, errors = chance.normal(size=(600, 4)), chance.exponential(size=600) ** 2
    schema = Schema("toy", "regression", "table", "y", tuple(Number(name) for name in "pqrs"))
    found = baselines.fit_baselines(schema, Arrays(inputs, inputs[:, 0] + errors), inputs, metric)
    middle = {"mean": np.mean, "median": np.median}[constant](inputs[:, 0] + errors)
    np.testing.assert_allclose(found[constant], middle)
    above = np.mean(found["boosted_trees"] - inputs[:, 0])
    assert above > 1.5 if constant == "mean" else above < 1.0


def test_large_pictures_are_averaged_down() -> None:
    assert baselines._flat(np.ones((2, 1, 28, 28))).shape == (2, 784)
    small = baselines._flat(np.arange(2 * 3 * 65 * 64.0).reshape(2, 3, 65, 64))
    assert small.shape == (2, 3 * 16 * 16)
    assert small[0, 0] == np.arange(64 * 64.0).reshape(64, 64)[:4, :4].mean()
