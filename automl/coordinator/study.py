"""One family's Optuna study: proposes parameters, prunes, learns. The only file that knows sampler and pruner classes.

The study lives in memory; what lasts is the ledger. Its history is bounded, because a sampler's cost grows with what it sees.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import distribution_to_json, json_to_distribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, Trial, TrialState

from automl.catalog import Space
from automl.coordinator.grid import few_points, grid_points
from automl.coordinator.space import Override, RangedTrial, default_point
from automl.coordinator.tpe import FastTPESampler
from automl.coordinator.window import keep
from automl.direction import sign
from automl.ledger import Attempt
from automl.messages import Outcome, Spec

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)

WINDOW = 800
"""Finished trials that sampler and pruner see after a renewal; it grows by a quarter before the next one."""
_BOUNDED = ("tpe", "gp")
"""Samplers whose cost grows with the history."""
_WITH_RUNGS = ("auto", "hyperband")
"""Pruners that note on a trial which rungs it passed."""
_PRIVATE = ("relative_params", "fixed_params", "cma:")
"""System attributes that are recomputed, or hold a pickle: never stored."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A point to try."""

    params: dict[str, Any]
    """Keyword arguments of the family's Module."""
    suggestion: dict[str, Any]
    """JSON from which `propose_again` makes the same point."""


class FamilyStudy:
    """Proposals and verdicts for one family. Slots name trials here; Optuna's numbers are never used."""

    def __init__(
        self,
        space: Space,
        spec: Spec,
        *,
        direction: str,
        sampler: str,
        pruner: str,
        seed: int,
        overrides: Mapping[str, Override] | None = None,
        window: int = WINDOW,
    ) -> None:
        self._space, self._spec = space, spec
        self._overrides = overrides or {}
        self._direction = direction
        self._sampler_name = sampler
        self._window = window if sampler in _BOUNDED else 1 << 60
        self._seed = seed
        self._sampler = _make_sampler(sampler, seed)
        self._pruner = _make_pruner(pruner, spec.max_resource)
        self._has_rungs = pruner in _WITH_RUNGS
        self._last_look = _last_look(pruner, spec.max_resource)
        self._default = default_point(space, spec, self._overrides)[0]
        self._grid = self._points()
        self._study = self._new_study()
        self._finished = 0
        self._running: dict[int, Trial] = {}
        self._proposed = 0

    @property
    def exhausted(self) -> bool:
        """True when there were only so many points, and none is left."""
        return self._grid is not None and self._proposed >= len(self._grid)

    def propose(self, slot: int, seed: int) -> Proposal:
        """Return a new point for a slot; the family's default where it is the first one. Re-seeds the sampler with `seed`."""
        _reseed(self._sampler, self._sampler_name, seed)
        if self._proposed == 0 and self._grid is None:
            self._study.enqueue_trial(self._default)
        elif self._grid is not None:
            self._study.enqueue_trial(self._grid[self._proposed])
        self._proposed += 1
        return self._ask(slot)

    def propose_again(self, slot: int, suggestion: dict[str, Any]) -> Proposal:
        """Return a slot's earlier point: a retry, or an attempt that a crash or a person cut off."""
        if earlier := self._running.pop(slot, None):
            earlier.study.tell(earlier, state=TrialState.FAIL)
        self._study.add_trial(
            optuna.create_trial(
                state=TrialState.WAITING,
                params=suggestion["params"],
                distributions=_distributions(suggestion),
                system_attrs=suggestion["system_attrs"],
            )
        )
        return self._ask(slot)

    def should_prune(self, slot: int, step: int, values: dict[str, float]) -> bool:
        """Take one epoch's values and say whether the slot ends here."""
        trial = self._running[slot]
        trial.report(steering(values, self._direction), step)
        return step <= self._last_look and trial.should_prune()

    def marks(self, slot: int) -> dict[str, Any]:
        """Return what the pruner noted on a running slot, to be stored with its outcome."""
        trial = self._running.get(slot)
        return {} if trial is None else _public(trial)

    def tell(self, slot: int, outcome: Outcome) -> None:
        """Learn how a slot ended."""
        trial = self._running.pop(slot, None)
        if trial is None:
            return
        for name, value in outcome.constraints.items():
            trial.set_constraint(name, value)
        if outcome.state == "complete":
            told = trial.study.tell(trial, _final_value(outcome, self._direction))
        elif outcome.state == "pruned":
            told = trial.study.tell(trial, state=TrialState.PRUNED)
        elif outcome.constraints and (worst := self._worst()) is not None:
            told = trial.study.tell(trial, worst)  # infeasible: steers away from what does not fit in memory
        else:
            told = trial.study.tell(trial, state=TrialState.FAIL)
        if trial.study is not self._study:
            self._study.add_trial(told)
        if told.state != TrialState.FAIL:
            self._finished += 1
            self._renew_when_large()

    def recall(self, attempts: list[Attempt]) -> None:
        """Fill an empty study with a family's stored attempts, one per slot, in the order in which they were opened."""
        for attempt in attempts:
            self._proposed += 1
            if attempt.final and attempt.outcome is not None and attempt.state in ("complete", "pruned"):
                self._study.add_trial(_remembered(attempt, self._noted(attempt), self._direction))
                self._finished += 1
                self._renew_when_large()
        if self._sampler_name == "qmc":
            for attempt in attempts:  # its place in the sequence was noted in a study that is gone: walk there again
                self._ask(attempt.slot)
                self._study.tell(self._running.pop(attempt.slot), state=TrialState.FAIL)

    def _noted(self, attempt: Attempt) -> dict[str, Any]:
        """Return its marks; a result that outlived its coordinator was stored without, so its curve passes the rungs once more."""
        if attempt.marks or attempt.outcome is None or not self._has_rungs:
            return attempt.marks
        trial = self._new_study().ask()
        for step, values in attempt.outcome.curve:
            if "objective" in values and step <= self._last_look:
                trial.report(steering(values, self._direction), step)
                trial.should_prune()
        return {**attempt.suggestion.get("system_attrs", {}), **_public(trial)}

    def _points(self) -> list[dict[str, Any]] | None:
        """All points in the order in which they are tried, the default before the others: of a grid, or of a small family."""
        points = few_points(self._space, self._spec, self._overrides)
        if self._sampler_name == "grid":
            points = grid_points(self._space, self._spec, self._overrides, self._seed)
        return None if points is None else [self._default, *(point for point in points if point != self._default)]

    def _ask(self, slot: int) -> Proposal:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a clipped default lies outside Optuna's memory of the range
            trial = self._study.ask()
            params = self._space.suggest(RangedTrial(trial, self._overrides), self._spec)
        self._running[slot] = trial
        return Proposal(params, _suggestion(trial))

    def _new_study(self) -> optuna.Study:
        direction = optuna.study.StudyDirection[self._direction.upper()]
        return optuna.create_study(direction=direction, sampler=self._sampler, pruner=self._pruner)

    def _renew_when_large(self) -> None:
        """Move to a fresh study with part of the history. Running trials stay in theirs until told."""
        if self._finished < self._window * 5 // 4:
            return
        states = (TrialState.COMPLETE, TrialState.PRUNED)
        kept = keep(self._study.get_trials(deepcopy=False, states=states), self._window, self._direction)
        self._sampler = _make_sampler(self._sampler_name, self._seed)
        self._study = self._new_study()
        self._study.add_trials(kept)
        self._finished = len(kept)

    def _worst(self) -> float | None:
        complete = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        values = [trial.value for trial in complete if trial.value is not None]
        return min(values, key=lambda value: sign(self._direction) * value, default=None)


def _make_sampler(name: str, seed: int) -> BaseSampler:
    samplers = optuna.samplers
    if name == "tpe":
        return FastTPESampler(seed=seed)
    if name == "cmaes":
        return samplers.CmaEsSampler(seed=seed)
    if name == "qmc":
        return samplers.QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False)
    if name == "gp":
        return samplers.GPSampler(seed=seed)
    return samplers.RandomSampler(seed=seed)  # `random`, and the blank behind `grid`


def _reseed(sampler: BaseSampler, name: str, seed: int) -> None:
    """Make the next proposal depend on (history, seed) alone. QMC's sequence is its state, so it keeps the first seed.

    Optuna offers `reseed_rng` without a seed only, hence the reach into its private generators.
    """
    if name == "qmc":
        return
    for part in (sampler, *(getattr(sampler, inner, None) for inner in ("_random_sampler", "_independent_sampler"))):
        for generator in ("_rng", "_cma_rng"):
            if held := getattr(part, generator, None):
                held.rng.seed(seed % 2**32)


def _make_pruner(name: str, max_resource: int) -> optuna.pruners.BasePruner:
    """Integer resources, counted from 1 (Li et al. 2020, arXiv 1810.05934, without the promotion of paused trials).

    The first rung lies at a tenth of the epochs, the next at three times that: 3 and 9 of 30; see `_last_look` for 27.
    """
    pruners = optuna.pruners
    first_rung = max(1, max_resource // 10)
    if name == "auto":
        return pruners.SuccessiveHalvingPruner(min_resource=first_rung, reduction_factor=3)
    if name == "hyperband":
        return pruners.HyperbandPruner(min_resource=first_rung, max_resource=max_resource, reduction_factor=3)
    if name == "median":
        return pruners.MedianPruner(n_warmup_steps=first_rung)
    if name == "patient":
        return pruners.PatientPruner(
            pruners.MedianPruner(n_warmup_steps=first_rung), patience=max(1, max_resource // 5)
        )
    return pruners.NopPruner()


def _last_look(pruner: str, max_resource: int) -> int:
    """The last epoch at which a trial may be stopped: a rung at 18 of 20 saves two epochs and costs two finalists of three."""
    return max_resource * 2 // 3 if pruner in _WITH_RUNGS else max_resource


def _suggestion(trial: Trial) -> dict[str, Any]:
    return {
        "params": trial.params,
        "distributions": {name: json.loads(distribution_to_json(d)) for name, d in trial.distributions.items()},
        "system_attrs": _public(trial),
    }


def _distributions(suggestion: dict[str, Any]) -> dict[str, Any]:
    return {name: json_to_distribution(json.dumps(d)) for name, d in suggestion["distributions"].items()}


def _public(trial: Trial) -> dict[str, Any]:
    attributes = trial.storage.get_trial_system_attrs(trial._trial_id)
    return {key: value for key, value in attributes.items() if not any(word in key for word in _PRIVATE)}


def steering(values: Mapping[str, float], direction: str) -> float:
    """Return the objective with ties broken by the loss, for sampler and pruner alone.

    On few validation rows many trials share an accuracy; without this, all of a tie would pass a rung. The loss moves the
    value by less than a millionth.
    """
    loss = values.get("loss", 0.0)
    shift = 1e-6 * loss / (1.0 + abs(loss))
    return values["objective"] - sign(direction) * shift


def _final_value(outcome: Outcome, direction: str) -> float | None:
    return None if outcome.value is None else steering({**outcome.values, "objective": outcome.value}, direction)


def _remembered(attempt: Attempt, marks: dict[str, Any], direction: str) -> FrozenTrial:
    outcome = attempt.outcome
    assert outcome is not None
    pruned = attempt.state == "pruned"
    return optuna.create_trial(
        state=TrialState.PRUNED if pruned else TrialState.COMPLETE,
        value=_final_value(outcome, direction),
        params=attempt.suggestion["params"],
        distributions=_distributions(attempt.suggestion),
        system_attrs=marks,
        intermediate_values={s: steering(values, direction) for s, values in outcome.curve if "objective" in values},
        constraints=outcome.constraints or None,
    )
