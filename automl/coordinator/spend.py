"""Spend a search's budget of slots: build the studies, carry out their trials, insist on one that completed."""

from __future__ import annotations

from automl.catalog import space
from automl.coordinator.events import Said
from automl.coordinator.space import default_point, overrides_for
from automl.coordinator.stage import Stage
from automl.coordinator.study import FamilyStudy
from automl.coordinator.trials import TrialDecision
from automl.errors import NoUsableTrial
from automl.ledger import Attempt


def spend_budget(stage: Stage) -> list[Attempt]:
    """Return the final attempts, one per slot and in their order. Raises NoUsableTrial when none completed, Stopped after a signal."""
    decision = _decision(stage)
    stage.phases.begin("search")
    try:
        stage.coordinator.carry_out(decision, "trial")
    except NoUsableTrial as error:
        error.hint = error.hint or stage.folder.where_workers_spoke
        raise
    if decision.ended_early:
        stage.observer(Said(f"the search ended early: {decision.ended_early}", "warning"))
    trials = sorted(stage.ledger.attempts(kind="trial", final=True), key=lambda trial: trial.slot)
    if not any(trial.state == "complete" for trial in trials):
        why = _why_nothing_completed(trials, decision.reasons())
        raise NoUsableTrial(why, hint=stage.folder.where_workers_spoke)
    return trials


def _decision(stage: Stage) -> TrialDecision:
    task = stage.header.task
    return TrialDecision(
        {family: _study(stage, family) for family in stage.header.config["families"]},
        stage.spec,
        stage.data,
        stage.config,
        metric=task["metric"],
        direction=task["direction"],
        deadline=stage.deadline,
        discard=stage.folder.discard,
    )


def _study(stage: Stage, family: str) -> FamilyStudy:
    config, overrides = stage.config, overrides_for(family, stage.config.overrides)
    for text in default_point(space(family), stage.spec, overrides)[1]:
        stage.observer(Said(f"default of {family} clipped to your range: {text}", "warning"))
    return FamilyStudy(
        space(family),
        stage.spec,
        direction=stage.header.task["direction"],
        sampler=config.sampler,
        pruner=config.pruner,
        seed=config.seed,
        overrides=overrides,
    )


def _why_nothing_completed(trials: list[Attempt], reasons: str) -> str:
    if trials and all(trial.state == "pruned" for trial in trials):
        return f"all {len(trials)} slots were pruned; loosen the pruner (--pruner none)."
    if not trials:
        return "no trial completed in the time given; give more with --time."
    return f"no trial completed: {reasons or 'the time was too short'}."
