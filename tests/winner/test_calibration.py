"""A planted temperature is found, what is calibrated stays, and the error is what a hand computes."""

import numpy as np
import pytest

from automl.winner.calibration import calibrate, expected_error, fit_temperature, reliability, rescale


def planted(temperature: float, rows: int = 2000, models: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Classes drawn from true probabilities; the models state those with their logits multiplied by `temperature`."""
    rng = np.random.default_rng(0)
    truth = rescale(rng.dirichlet(np.ones(4), rows), 1.0)
    target = (rng.random((rows, 1)) > truth.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return target, np.stack([rescale(truth, 1 / temperature)] * models)


@pytest.mark.parametrize("temperature", [0.5, 2.0, 3.0])
def test_a_planted_temperature_is_found(temperature):
    target, probabilities = planted(temperature)
    assert fit_temperature(target, probabilities, seed=0) == pytest.approx(temperature, rel=0.1)


def test_scaling_lowers_the_error_and_changes_no_class():
    target, (probabilities, _) = planted(3.0)
    scaled = rescale(probabilities, 3.0)
    found = calibrate(target, scaled, 3.0)
    assert found.ece_after < 0.04 < 0.15 < found.ece_before
    assert (scaled.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert sum(one.rows for one in found.bins) == len(target)


def test_few_rows_or_no_gain_on_rows_left_out_leave_it_at_one():
    target, probabilities = planted(3.0, rows=19)
    assert fit_temperature(target, probabilities, seed=0) == 1.0
    kept = [fit_temperature(*_noise(seed), seed=seed) for seed in range(20)]
    assert kept.count(1.0) >= 10


def _noise(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(np.ones(3), 60)
    target = (rng.random((60, 1)) > truth.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return target, truth[None]


def test_a_temperature_stays_in_its_range():
    target = np.arange(1000) % 2
    timid = np.eye(2)[target][None] * 0.02 + 0.49
    timid[0, 0] = timid[0, 0, ::-1]
    assert fit_temperature(target, timid, seed=0) == pytest.approx(0.2, abs=1e-3)


def test_models_that_are_always_right_say_nothing_of_how_sure_they_may_be():
    target = np.arange(100) % 2
    assert fit_temperature(target, np.eye(2)[target][None] * 0.2 + 0.4, seed=0) == 1.0


def test_the_error_is_the_distance_weighted_by_rows():
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.6, 0.4]])
    bins = reliability(np.array([0, 0, 1, 1, 1]), probabilities)
    assert [(one.rows, one.accuracy) for one in bins] == [(1, 0.0), (4, 0.5)]
    assert expected_error(bins) == pytest.approx((4 * 0.4 + 1 * 0.6) / 5)
