"""What is kept of a history that is too long."""

from __future__ import annotations

from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from automl.coordinator.window import BEST, keep

X, LR, KIND = FloatDistribution(0.0, 1.0), FloatDistribution(1e-4, 1.0, log=True), CategoricalDistribution(["a", "b"])


def _trial(value: float, state: TrialState = TrialState.COMPLETE, **params: Any) -> FrozenTrial:
    ranges: dict[str, BaseDistribution] = {"x": X, "lr": LR, "kind": KIND, "momentum": X}
    distributions = {name: ranges[name] for name in params}
    return optuna.create_trial(state=state, value=value, params=params, distributions=distributions)


def test_the_best_stay_then_the_nearest_and_an_even_sample_of_the_others() -> None:
    best = [_trial(0.0, x=0.5, lr=1e-2, kind="a") for _ in range(BEST)]
    near = [_trial(9.0, x=0.51, lr=1e-2, kind="a") for _ in range(4)]
    far = [_trial(1.0, x=place / 100, lr=1e-2, kind="b") for place in range(10)]
    kept = keep([*far, *best, *near], BEST + 8, "minimize")
    assert kept == [far[0], far[3], far[6], far[9], *best, *near]


def test_a_logarithmic_range_is_measured_in_logarithms() -> None:
    best = [_trial(0.0, lr=0.1) for _ in range(BEST)]
    decade, half = _trial(1.0, lr=0.01), _trial(1.0, lr=0.3)
    assert half in keep([*best, decade, decade, decade, half], BEST + 2, "minimize")


def test_which_are_best_follows_the_direction_and_pruned_trials_are_not_among_them() -> None:
    pruned = _trial(1.0, TrialState.PRUNED, x=0.0)
    complete = [_trial(0.5, x=1.0) for _ in range(BEST)]
    low = _trial(0.1, x=0.0)
    assert keep([pruned, low, *complete], BEST, "maximize") == complete
    assert low in keep([pruned, low, *complete], BEST, "minimize")


def test_a_parameter_that_only_some_trials_have_is_no_hindrance() -> None:
    best = [_trial(0.0, kind="a", momentum=0.9) for _ in range(BEST)]
    without, other = _trial(1.0, kind="a"), _trial(1.0, kind="b")
    assert without in keep([*best, other, other, other, without], BEST + 2, "minimize")
