"""The fast TPE proposes what Optuna's own does."""

from __future__ import annotations

import random

import optuna
import pytest
from optuna.samplers import TPESampler
from optuna.samplers._tpe import _truncnorm
from optuna.trial import Trial

from automl.coordinator.tpe import FastTPESampler


def ask(study: optuna.Study, seed: int) -> Trial:
    study.sampler._rng.rng.seed(seed)  # type: ignore[attr-defined]
    study.sampler._random_sampler._rng.rng.seed(seed)  # type: ignore[attr-defined]
    trial = study.ask()
    trial.suggest_float("rate", 1e-5, 1.0, log=True)
    if trial.suggest_categorical("kind", ["a", "b", "c"]) == "b":
        trial.suggest_int("depth", 1, 9)
    trial.suggest_float("drop", 0.0, 1.0)
    return trial


def end(study: optuna.Study, trial: Trial, chance: random.Random) -> None:
    """One of all the ways in which a trial may end, ties and constraints included."""
    if chance.random() < 0.2:
        trial.set_constraint("memory", chance.choice([-1.0, 0.5, 2.0]))
    for step in range(1, chance.randint(0, 3) + 1):
        trial.report(chance.choice([float("nan"), 0.25, trial.params["drop"]]), step)
    way = chance.random()
    if way < 0.1:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    elif way < 0.5:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, round(trial.params["drop"], 1) + trial.params["rate"])


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_it_proposes_what_optunas_own_does_to_the_bit(direction: str) -> None:
    own = optuna.create_study(direction=direction, sampler=TPESampler(seed=0))
    fast = optuna.create_study(direction=direction, sampler=FastTPESampler(seed=0))
    chances = random.Random(1), random.Random(1)
    running: list[tuple[Trial, Trial]] = []
    for seed in range(120):
        running.append((ask(own, seed), ask(fast, seed)))
        assert running[-1][0].params == running[-1][1].params
        if len(running) == 4:  # three others run while each is proposed
            pair = running.pop(seed % 4)
            for study, trial, chance in zip((own, fast), pair, chances, strict=True):
                end(study, trial, chance)


@pytest.mark.parametrize("name", ["_log_ndtr", "erf"])
def test_it_computes_with_the_vectorised_functions(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Private names of Optuna's: this says when one moved."""
    calls, vectorised = [], getattr(_truncnorm, name)
    assert type(vectorised).__name__ == "ufunc"
    monkeypatch.setattr(_truncnorm, name, lambda a: calls.append(a) or vectorised(a))
    study = optuna.create_study(sampler=FastTPESampler(seed=0))
    for seed in range(15):
        study.tell(ask(study, seed), seed)
    assert calls
