"""One family's study: what it proposes, what it prunes, what it remembers."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import stub_worker
import stubs

from automl.config import PRUNERS
from automl.coordinator.seeds import slot_seed
from automl.coordinator.space import Override
from automl.coordinator.study import FamilyStudy
from automl.ledger import Attempt
from automl.messages import Outcome

SAMPLERS = ("tpe", "random", "cmaes", "qmc", "grid")


def trial(study: FamilyStudy, slot: int, **more: Any) -> Attempt:
    """Propose a slot and tell its value; returns it as the ledger would keep it."""
    seed = slot_seed(0, slot)
    proposal = study.propose(slot, seed)
    outcome = Outcome("", 0, "complete", value=stub_worker.loss_at(proposal.params, 5))
    outcome = replace(outcome, **more)
    marks = study.marks(slot)
    study.tell(slot, outcome)
    return Attempt(
        *("trial", slot, 0, 0, "bowl", proposal.params, seed, proposal.suggestion),
        state=outcome.state,
        final=True,
        value=outcome.value,
        outcome=outcome,
        marks=marks,
    )


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_default_comes_first(sampler: str) -> None:
    assert stubs.study(sampler=sampler).propose(0, 0).params == stubs.SPACE.DEFAULT


def test_a_late_default_is_not_pruned_where_another_with_its_curve_is() -> None:
    decision = stubs.decision(8, pruner="auto")
    attempts = [decision.next() for _ in range(8)]
    default, *good, bad = [attempt for attempt in attempts if attempt is not None]
    for attempt in good:
        for step in range(1, 6):
            decision.on_report(attempt, _report(attempt, step, 1.0 / step))
        decision.on_closed(*_closed(attempt, "complete", 0.2))
    verdicts = {
        attempt.slot: [decision.on_report(attempt, _report(attempt, n, 9.0)) for n in (1, 2, 3)]
        for attempt in (default, bad)
    }
    assert verdicts[0] == [False, False, False]
    assert any(verdicts[7])


def test_a_result_that_outlived_its_coordinator_counts_at_the_rungs_that_it_passed() -> None:
    study, resumed = stubs.study(pruner="auto"), stubs.study(pruner="auto")
    curve = tuple((step, {"objective": 1.0 / step}) for step in range(1, 6))
    adopted = [trial(study, slot, curve=curve) for slot in range(6)]  # closed without what the pruner noted
    resumed.recall([replace(attempt, marks={}) for attempt in adopted])
    resumed.propose(6, 6)
    assert resumed.should_prune(6, 1, {"objective": 9.0})


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_seed_proposes_the_same_points(sampler: str) -> None:
    one, other = ([trial(study, slot).params for slot in range(6)] for study in _two(sampler))
    assert one == other
    assert len({str(params) for params in one}) > 3


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_resumed_study_goes_on_with_new_points(sampler: str) -> None:
    first, second = _two(sampler)
    history = [trial(first, slot) for slot in range(4)]
    second.recall(history)
    more = [trial(second, slot).params for slot in (4, 5)]
    assert stubs.SPACE.DEFAULT not in more
    assert all(params not in [attempt.params for attempt in history] for params in more)


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_a_resumed_study_proposes_what_the_unbroken_one_would(sampler: str) -> None:
    unbroken, resumed = _two(sampler)
    history = [trial(unbroken, slot) for slot in range(5)]
    resumed.recall(history)
    assert resumed.propose(5, slot_seed(0, 5)).params == unbroken.propose(5, slot_seed(0, 5)).params


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_retry_has_the_same_point(sampler: str) -> None:
    study, fresh = _two(sampler)
    for slot in range(4):
        trial(study, slot)
    proposal = study.propose(4, slot_seed(0, 4))
    assert study.propose_again(4, proposal.suggestion).params == proposal.params
    assert fresh.propose_again(4, proposal.suggestion).params == proposal.params


def test_a_bounded_history_keeps_the_best_and_those_most_like_them() -> None:
    study = stubs.study(sampler="tpe", window=60)
    values = [trial(study, slot).value or 0.0 for slot in range(300)]
    kept = [t.value for t in study._study.get_trials(deepcopy=False)]
    assert len(kept) < 90
    assert set(sorted(values)[:25]) <= set(kept)
    assert kept == sorted(kept, key=values.index)


def test_a_restart_sees_the_same_window() -> None:
    unbroken, resumed = (stubs.study(sampler="tpe", window=60) for _ in range(2))
    resumed.recall([trial(unbroken, slot) for slot in range(200)])
    assert resumed.propose(200, 7).params == unbroken.propose(200, 7).params


def test_a_trial_that_runs_through_a_renewal_is_still_learned_from() -> None:
    study = stubs.study(sampler="tpe", window=40)
    slow = study.propose(0, 0)
    for slot in range(1, 60):
        trial(study, slot)
    assert study.should_prune(0, 1, {"objective": 0.5}) is False
    study.tell(0, Outcome("", 0, "complete", value=-1.0))
    assert study._study.best_value == -1.0
    assert study._study.best_params["x"] == slow.params["x"]


@pytest.mark.parametrize("pruner", PRUNERS)
def test_a_pruner_stops_the_hopeless_and_none_stops_nobody(pruner: str) -> None:
    spec = replace(stubs.SPEC, max_resource=30)
    study = FamilyStudy(stubs.SPACE, spec, direction="minimize", sampler="random", pruner=pruner, seed=0)
    stopped = 0
    for slot in range(24):
        study.propose(slot, slot)
        value = float(24 - slot if slot < 12 else 100 + slot)
        end = next((step for step in range(1, 31) if study.should_prune(slot, step, {"objective": value + step})), None)
        stopped += end is not None
        state: Any = "complete" if end is None else "pruned"
        study.tell(slot, Outcome("", 0, state, value=value))
        assert slot > 0 or end is None or pruner in ("auto", "hyperband")
    assert (stopped == 0) == (pruner == "none")


def test_successive_halving_lets_the_finalists_finish() -> None:
    study = FamilyStudy(
        stubs.SPACE, replace(stubs.SPEC, max_resource=20), direction="minimize", sampler="random", pruner="auto", seed=0
    )
    for slot in range(12):  # each is a little worse than the one before, but only from epoch 7 on
        study.propose(slot, slot)
        curve = [1.0 / step if step < 7 else 1.0 + slot for step in range(1, 21)]
        assert not any(study.should_prune(slot, step, {"objective": curve[step - 1]}) for step in range(1, 21))
        study.tell(slot, Outcome("", 0, "complete", value=curve[-1]))


def test_a_point_that_did_not_fit_steers_away_from_its_like() -> None:
    study = stubs.study(sampler="tpe")
    above = []
    for slot in range(60):
        proposal = study.propose(slot, slot_seed(0, slot))
        x = proposal.params["x"]
        above.append(x > 0.6)
        if x > 0.6:  # the optimum is at 0.7, but out of memory
            study.tell(slot, Outcome("", 0, "failed", "out of memory", constraints={"memory": 1.0}))
        else:
            study.tell(slot, Outcome("", 0, "complete", value=stub_worker.loss_at(proposal.params, 5)))
    assert sum(above[-25:]) < 15  # all 25 where the failure is told without a constraint


def test_a_failure_before_any_success_is_told_without_a_value() -> None:
    study = stubs.study()
    study.propose(0, 0)
    study.tell(0, Outcome("", 0, "failed", "out of memory", constraints={"memory": 1.0}))
    assert study.propose(1, 1).params


@pytest.mark.parametrize(("default", "points"), [({"x": 0.5, "kind": "a"}, 6), ({"x": 0.3, "kind": "a"}, 7)])
def test_a_grid_begins_with_the_default_and_is_exhausted_after_its_points(default: dict[str, Any], points: int) -> None:
    space: Any = SimpleNamespace(INPUTS=("table",), DEFAULT=default, suggest=stubs.suggest)
    study = FamilyStudy(space, stubs.SPEC, direction="minimize", sampler="grid", pruner="none", seed=1)
    seen = []
    while not study.exhausted:
        seen.append(trial(study, len(seen)).params)
    assert seen[0] == default
    assert len(seen) == len({str(params) for params in seen}) == points


def test_a_family_of_few_points_tries_each_once_its_default_first() -> None:
    def suggest(trial: Any, spec: Any) -> dict[str, Any]:
        kind = trial.suggest_categorical("kind", ["a", "b"])
        return {"kind": kind, "x": trial.suggest_int("x", 1, 2) if kind == "b" else 0}

    space: Any = SimpleNamespace(INPUTS=("table",), DEFAULT={"kind": "b", "x": 2}, suggest=suggest)
    choices: dict[str, Any] = {"direction": "minimize", "sampler": "tpe", "pruner": "none", "seed": 0}
    study = FamilyStudy(space, stubs.SPEC, **choices)
    seen = []
    while not study.exhausted:
        seen.append(trial(study, len(seen)).params)
    assert seen == [{"kind": "b", "x": 2}, {"kind": "a", "x": 0}, {"kind": "b", "x": 1}]


def test_a_persons_range_binds_every_proposal_and_the_default() -> None:
    study = stubs.study(sampler="tpe", overrides={"x": Override(low=0.8, high=0.9), "kind": Override(value="b")})
    for slot in range(15):
        params = trial(study, slot).params
        assert 0.8 <= params["x"] <= 0.9
        assert params["kind"] == "b"


def _two(sampler: str) -> tuple[FamilyStudy, FamilyStudy]:
    return stubs.study(sampler=sampler), stubs.study(sampler=sampler)


def _report(attempt: Attempt, step: int, value: float) -> Any:
    from automl.messages import Report

    return Report(attempt.key, 0, step, {"objective": value})


def _closed(attempt: Attempt, state: Any, value: float) -> tuple[Attempt, Outcome]:
    outcome = Outcome(attempt.key, 0, state, value=value)
    return replace(attempt, state=state, final=True, value=value, outcome=outcome), outcome
