"""Models that err on different rows are joined; equals are not, however lucky a mixture looks on the rows that chose it."""

import numpy as np
import pytest

from automl.winner.ensemble import MOST_MEMBERS, greedy, select


def classes(rng: np.random.Generator, target: np.ndarray, *, own: float, shared: np.ndarray) -> np.ndarray:
    """Probabilities whose errors come from noise of the model's own and from noise shared by all."""
    evidence = 2.0 * (2 * target - 1) + shared + own * rng.normal(size=len(target))
    right = 1 / (1 + np.exp(-evidence))
    return np.stack([1 - right, right], axis=1)


def drawn(seed: int, *, own: float, shared: float, rows: int = 300, models: int = 5):
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 2, rows)
    common = shared * rng.normal(size=rows)
    return target, [classes(rng, target, own=own, shared=common) for _ in range(models)]


def taken(repetitions: int, *, own: float, shared: float) -> int:
    chosen = 0
    for seed in range(repetitions):
        target, candidates = drawn(seed, own=own, shared=shared)
        chosen += select("accuracy", "maximize", target, candidates, seed=seed).is_better
    return chosen


def test_models_that_err_on_different_rows_are_taken():
    assert taken(10, own=3.0, shared=0.0) >= 9


def test_models_that_err_on_the_same_rows_are_not():
    assert taken(10, own=0.1, shared=3.0) <= 1


def test_the_single_model_is_chosen_on_other_rows_than_it_is_judged_by():
    target, candidates = drawn(0, own=3.0, shared=0.0, rows=60, models=20)
    luckiest = max((one.argmax(axis=1) == target).mean() for one in candidates)
    found = select("accuracy", "maximize", target, candidates, seed=0)
    assert found.value - found.gain.value < luckiest


@pytest.mark.proof
def test_equals_are_not_taken_in_90_of_100_and_planted_gains_are():
    equal, gain = taken(100, own=0.1, shared=3.0), taken(100, own=3.0, shared=0.0)
    print(f"equal: {100 - equal} of 100 not taken; complementary: {gain} of 100 taken")
    assert 100 - equal >= 90
    assert gain >= 90


def test_complementary_numbers_are_joined_and_lower_is_better():
    rng = np.random.default_rng(0)
    target = rng.normal(size=200)
    candidates = [target + rng.normal(size=200) for _ in range(4)]
    found = select("rmse", "minimize", target, candidates, seed=0)
    assert found.is_better
    assert found.value < 0.8
    assert sum(found.weights) == pytest.approx(1)


def test_at_most_five_members_and_a_model_that_is_best_alone_stays_alone():
    target, candidates = drawn(0, own=3.0, shared=0.0, models=12)
    assert sum(weight > 0 for weight in greedy("log_loss", "minimize", target, candidates)) <= MOST_MEMBERS
    perfect = np.eye(2)[target]
    assert greedy("log_loss", "minimize", target, [candidates[0], perfect, candidates[1]]) == (0.0, 1.0, 0.0)


def test_equal_seeds_give_equal_selections():
    target, candidates = drawn(1, own=3.0, shared=0.0)
    first, second = (select("accuracy", "maximize", target, candidates, seed=3) for _ in range(2))
    assert (first.weights, first.gain) == (second.weights, second.gain)


def test_members_are_averaged_in_what_they_learn():
    target = np.exp(np.random.default_rng(0).normal(size=200))
    logs = np.log(target)
    found = select("rmsle", "minimize", target, [logs - 0.5, logs + 0.5], seed=0, told=np.exp)
    assert found.weights == (0.5, 0.5)
    assert found.is_better
    np.testing.assert_allclose(found.held_out, target)
