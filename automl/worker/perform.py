"""An assignment in, outcomes out: what a worker does. Knows no database; torch is imported only when there is work for it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from automl import catalog
from automl.data import KNOWN, load_folds
from automl.direction import is_better
from automl.messages import Answer, Artifact, Assignment, Member, Outcome, Report
from automl.tasks.metrics import best_threshold, measure_all
from automl.worker.cost import Cost
from automl.worker.guard import guard

if TYPE_CHECKING:
    from automl.worker.callbacks import Best, Progress, Reporter
    from automl.worker.feeds import EvaluationFeed
    from automl.worker.folds import Measured


@dataclass(frozen=True)
class Places:
    """Folders of this host; an assignment names none."""

    data: Path
    """Prepared arrays, a folder per data key."""
    search: Path
    """The search's own folder: artifacts and logs are written below it."""


class Channel(Protocol):
    """A worker's side of the talk with its coordinator."""

    def report(self, report: Report) -> None:
        """Send an epoch's values; does not wait for the answer."""

    def answer(self, *, wait: bool) -> Answer | None:
        """The newest answer not yet taken; with `wait`, block until the last report is answered."""

    def tick(self) -> None:
        """Say that training goes on; called per mini-batch, cheap."""


def perform(assignment: Assignment, channel: Channel, places: Places) -> tuple[Outcome, ...]:
    """Do what is assigned and return one outcome per member.

    An exception in the family's code is an outcome like any other: `failed`, with one line as its reason and the traceback
    in `<search>/logs/<assignment>.txt`. KeyboardInterrupt and SystemExit pass through.
    """
    members, logs = range(len(assignment.members)), places.search / "logs"
    match assignment.kind:
        case "score":
            return guard(partial(_score, assignment, places), assignment, members, logs)
        case "baselines":
            return guard(partial(_baselines, assignment, places), assignment, members, logs)
        case "export":
            return guard(partial(_export, assignment, places), assignment, members, logs)
    train = _refit if assignment.kind == "refit" else _fit
    return tuple(
        outcome
        for index in members
        for outcome in guard(partial(train, assignment, index, channel, places), assignment, (index,), logs)
    )


def _score(assignment: Assignment, places: Places) -> tuple[Outcome, ...]:
    from automl.worker.scoring import score

    return score(assignment, places)


def _baselines(assignment: Assignment, places: Places) -> tuple[Outcome, ...]:
    from automl.worker.baselines import predict_baselines

    return predict_baselines(assignment, places)


def _export(assignment: Assignment, places: Places) -> tuple[Outcome, ...]:
    from automl.worker.exporting import export

    return export(assignment, places)


def _fit(assignment: Assignment, index: int, channel: Channel, places: Places) -> tuple[Outcome, ...]:
    """Train, validate each epoch, keep the best one: `trial` and `confirm`. With folds so for each; the outcome is their mean.

    Only the first fold's epochs are reported, so that it alone is compared with others epoch by epoch.
    """
    from automl.worker.folds import joined

    cost, folds = Cost(), assignment.folds or (None,)
    fitted: list[tuple[Progress, Measured]] = []
    for place, fold in enumerate(folds):
        reporter, validation = _fit_once(assignment, index, channel, places, fold=fold, is_silent=place > 0)
        fitted.append((reporter.progress, validation))
        if reporter.progress.ending is not None or reporter.is_finishing:
            break
    progress, measured = fitted[0]
    if len(folds) > 1:
        progress, measured = joined(fitted, load_folds(places.data, assignment.data))
    return (_outcome(assignment, index, progress, measured, cost, places),)


def _fit_once(
    assignment: Assignment, index: int, channel: Channel, places: Places, *, fold: int | None, is_silent: bool = False
) -> tuple[Reporter, EvaluationFeed]:
    from automl.worker.callbacks import Reporter
    from automl.worker.feeds import EvaluationFeed, TrainingFeed, held_schema, hold, hold_fold
    from automl.worker.trainer import fit, input_dtype, training_device

    member = assignment.members[index]
    where = {"device": training_device(), "dtype": input_dtype(assignment.precision)}
    if fold is None:
        known, unknown = (hold(places.data, assignment.data, part, **where) for part in ("train", "validation"))
    else:
        known, unknown = hold_fold(places.data, assignment.data, fold, **where)
    validation = EvaluationFeed(unknown, held_schema(places.data, assignment.data), assignment.metric)
    reporter = Reporter(assignment, index, channel, validation, is_silent=is_silent)
    fit(
        _module(assignment, member),
        TrainingFeed(known, member.seed),
        validation,
        epochs=assignment.max_resource,
        precision=assignment.precision,
        callbacks=[reporter],
    )
    return reporter, validation


def _refit(assignment: Assignment, index: int, channel: Channel, places: Places) -> tuple[Outcome, ...]:
    """Train on train and validation rows together, for exactly the epochs assigned; validates nothing, has no value."""
    from automl.worker.artifacts import write_weights
    from automl.worker.callbacks import Listener
    from automl.worker.feeds import TrainingFeed, hold
    from automl.worker.trainer import fit, input_dtype, training_device

    cost = Cost()
    member = assignment.members[index]
    rows = hold(places.data, assignment.data, KNOWN, training_device(), input_dtype(assignment.precision))
    listener = Listener(assignment, index, channel)
    module = _module(assignment, member)
    trainer = fit(
        module,
        TrainingFeed(rows, member.seed),
        None,
        epochs=assignment.max_resource,
        precision=assignment.precision,
        callbacks=[listener],
    )
    steps, ending = trainer.current_epoch, listener.progress.ending
    if ending is not None:
        return (Outcome(assignment.id, index, ending.state, ending.reason, steps=steps, cost=cost.read()),)
    weights = write_weights(places.search, assignment.id, module.state_dict())
    end: dict[str, Any] = {"best_step": steps, "steps": steps, "cost": cost.read(), "artifacts": {"weights": weights}}
    return (Outcome(assignment.id, index, "complete", **end),)


def _module(assignment: Assignment, member: Member) -> Any:
    """Seed every generator and build the family's module. Lightning's `seed_everything` would leak into the environment."""
    import torch

    random.seed(member.seed)
    np.random.seed(member.seed % 2**32)
    torch.manual_seed(member.seed)
    return catalog.module(member.family, assignment.spec, member.params)


def _outcome(
    assignment: Assignment, index: int, progress: Progress, validation: Measured, cost: Cost, places: Places
) -> Outcome:
    best, curve = progress.best, tuple(progress.curve)
    end: dict[str, Any] = {"best_step": best.step if best else 0, "steps": len(curve), "curve": curve}
    if progress.ending is not None:
        ending = progress.ending
        if ending.state == "pruned":
            end |= {"value": curve[-1][1]["objective"], "values": curve[-1][1]}
        end |= {"cost": cost.read(), "fatal": ending.fatal}
        return Outcome(assignment.id, index, ending.state, ending.reason, **end)
    assert best is not None  # each fit that nothing ended has validated at least once
    end |= {
        "value": best.values["objective"],
        "values": {**_recorded(assignment.metric, best, validation), **best.values},
    }
    end |= {"artifacts": _artifacts(assignment, best, places), "cost": cost.read()}
    return Outcome(assignment.id, index, "complete", _flag(curve), **end)


_EXPLODED = 1e6
"""A loss beyond this is of no use: targets have unit scale, so losses start near 1."""


def _flag(curve: tuple[tuple[int, dict[str, float]], ...]) -> str:
    """Say where a fit exploded and stayed finite. It counts all the same: its best epoch may lie before that."""
    losses = ((step, values.get("loss", 0.0)) for step, values in curve)
    return next((f"loss exploded ({loss:.0e} at epoch {step})" for step, loss in losses if abs(loss) > _EXPLODED), "")


def _recorded(steering: str, best: Best, validation: Measured) -> dict[str, float]:
    """Every metric that fits the target, at the best epoch; one that these rows do not admit is left out.

    All are of the same decisions: those that the steering metric wants.
    """
    if best.predictions is None:
        return {}
    threshold = best_threshold(steering, validation.measured_target, best.predictions)
    return measure_all(validation.kind, validation.measured_target, best.predictions, threshold)


def _artifacts(assignment: Assignment, best: Best, places: Places) -> dict[str, Artifact]:
    from automl.worker.artifacts import write_predictions, write_weights

    bar, value = assignment.keep_better_than, best.values["objective"]
    if bar is not None and not is_better(value, bar, assignment.direction):
        return {}
    artifacts = {"weights": write_weights(places.search, assignment.id, best.weights)}
    if best.predictions is not None:
        artifacts["predictions"] = write_predictions(places.search, assignment.id, best.predictions)
    return artifacts
