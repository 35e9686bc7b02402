"""What is exported: the single winner or an ensemble of kept trials, its temperature and its threshold. Trains nothing.

All are decided on validation rows, before the test is read, from models that did not train on those rows. The temperature of a single
winner comes from its confirmation runs: several seeds, none of which the search had picked for its luck. That of an ensemble comes from
the predictions of rows that had no say in its members. What is exported is then refitted with those rows too, so the temperature, if
anything, corrects a little too much; the sealed test shows by how much. The threshold between two classes follows the temperature and
comes from the same rows; with folds from all that a trial predicted, since a confirmation predicts a fifth of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from automl.coordinator.stage import Stage
from automl.data import load_schema
from automl.ledger import Attempt
from automl.tasks.metrics import EVEN, best_threshold
from automl.winner.calibration import fit_temperature, rescale
from automl.winner.confirm import Candidate
from automl.winner.ensemble import FEWEST_ROWS, Selection, select
from automl.winner.evidence import DEFAULT, SINGLE
from automl.winner.kept import most_rows, of_confirmations, of_trial, validation_clusters, validation_target
from automl.winner.verdict import gain_words

ALLOWANCE = 1 / 12
"""Share of the search's epochs that refits of further members may cost: with the confirmations a third."""


@dataclass(frozen=True, slots=True)
class Share:
    """A trial with its weight in the ensemble."""

    trial: Attempt
    weight: float


@dataclass(frozen=True, slots=True)
class Blend:
    """The choice, its reason, and the temperatures and thresholds of both."""

    members: tuple[Share, ...]
    taken: bool
    why: str
    temperature: float
    """Of the single winner."""
    ensemble_temperature: float = 1.0
    validation: float | None = None
    """The ensemble's metric on validation rows that did not choose it."""
    threshold: float = EVEN
    """Of the single winner, for probabilities without its temperature."""
    ensemble_threshold: float = EVEN
    default_threshold: float = EVEN
    """Of the default of the winner's family, which has no temperature."""

    @property
    def exported_temperature(self) -> float:
        """Of what is exported."""
        return self.ensemble_temperature if self.taken else self.temperature

    @property
    def exported_threshold(self) -> float:
        """Of what is exported: a temperature moves a threshold as it moves every probability, and so changes no decision."""
        threshold = self.ensemble_threshold if self.taken else self.threshold
        return float(rescale(np.array([1 - threshold, threshold]), self.exported_temperature)[1])

    def exported_validation(self, winner: Candidate) -> float:
        """Of what is exported: the single winner's where no ensemble took its place."""
        return winner.mean if not self.taken or self.validation is None else self.validation

    @property
    def thresholds(self) -> dict[str, float]:
        """By role, of all that are scored."""
        return {"model": self.exported_threshold, SINGLE: self.threshold, DEFAULT: self.default_threshold}

    @property
    def weights(self) -> dict[str, float]:
        """Each member's weight, by family and slot."""
        return {f"{one.trial.family}-{one.trial.slot}": one.weight for one in self.members}

    def document(self) -> dict[str, Any]:
        """Return its part of the search's JSON document."""
        members = [{"slot": m.trial.slot, "family": m.trial.family, "weight": m.weight} for m in self.members]
        return {"members": members, "validation": self.validation, "taken": self.taken, "why": self.why}


def choose_blend(stage: Stage, trials: Sequence[Attempt], winner: Candidate, default: Candidate | None) -> Blend:
    """Decide whether an ensemble replaces the winner, and by which thresholds both and the `default` decide."""
    target = validation_target(stage)
    # With folds a confirmation predicts other rows each time, and a trial all of them.
    fresh = [] if stage.data.folds else [rows for _, rows in of_confirmations(stage, winner.attempt)]
    temperature = _temperature(stage, target, fresh or of_trial(stage, winner.attempt))
    lines = {"threshold": _threshold(stage, winner), "default_threshold": _threshold(stage, default)}
    affordable = (trial for trial in trials if stage.deadline.can_refit([winner.attempt, trial]))
    kept = [(trial, rows[0]) for trial in affordable if (rows := of_trial(stage, trial))]
    if reason := _why_not(stage, winner, len(kept), len(target)):
        return Blend((), False, reason, temperature, **lines)
    metric, direction = stage.header.task["metric"], stage.header.task["direction"]
    clusters = validation_clusters(stage)
    is_log = load_schema(stage.data_folder, stage.data).logarithmic  # networks are averaged in what they learn
    candidates = [np.log1p(rows) if is_log else rows for _, rows in kept]
    told = np.expm1 if is_log else np.asarray
    found = select(metric, direction, target, candidates, seed=stage.config.seed, clusters=clusters, told=told)
    members = tuple(Share(t, weight) for (t, _), weight in zip(kept, found.weights, strict=True) if weight > 0)
    why, taken = _reason(found), found.is_better
    if taken and (obstacle := _too_much(stage, trials, winner.attempt, [one.trial for one in members])):
        why, taken = f"{why} {obstacle}", False
    scaled = _temperature(stage, target, [found.held_out]) if taken else 1.0
    joined = best_threshold(metric, target, found.held_out)
    return Blend(members, taken, why, temperature, scaled, found.value, ensemble_threshold=joined, **lines)


def _threshold(stage: Stage, candidate: Candidate | None) -> float:
    """Return a single model's threshold, for probabilities without a temperature; 0.5 where nothing it predicted was kept."""
    found = [] if candidate is None else most_rows(stage, candidate.attempt)
    if not found:
        return EVEN
    target, predictions = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return best_threshold(stage.header.task["metric"], target, predictions)


def steps_of(trial: Attempt) -> int:
    """Epochs that a member is refitted for: its trial's best, since it was not confirmed."""
    return max(1, trial.outcome.best_step) if trial.outcome is not None else 1


def _why_not(stage: Stage, winner: Candidate, kept: int, rows: int) -> str:
    """The cheap reasons first; empty where a selection is worth its time."""
    ceiling = 1.0 if stage.header.task["direction"] == "maximize" else 0.0
    if winner.attempt.value == ceiling:
        return f"An ensemble was not tried: the winner's trial has {ceiling:g}, the best there is."
    if kept < 2:
        return f"An ensemble was not tried: it takes two trials that kept their predictions and can be refitted in time, and {kept} did."
    if rows < FEWEST_ROWS:
        return f"An ensemble was not tried: {rows} validation rows are fewer than {FEWEST_ROWS}."
    if not stage.deadline.can_refit([winner.attempt]):
        return "An ensemble was not tried: no time was left."
    return ""


def _too_much(stage: Stage, trials: Sequence[Attempt], winner: Attempt, members: Sequence[Attempt]) -> str:
    """What speaks against refitting these beside the winner; empty where nothing does.

    Epochs are counted, since seconds would differ from one run to the next; under a time budget only the time counts.
    """
    if stage.deadline.is_set:
        return "" if stage.deadline.can_refit([winner, *members]) else "But no time is left for its refits."
    epochs = sum(steps_of(one) for one in members if one.slot != winner.slot)
    allowed = ALLOWANCE * sum(trial.outcome.steps for trial in trials if trial.outcome is not None)
    if epochs > allowed:
        return f"But its refits would take {epochs} epochs, and {allowed:.0f} are allowed."
    return ""


def _reason(found: Selection) -> str:
    many = sum(weight > 0 for weight in found.weights)
    return (
        f"On validation rows that did not choose it an ensemble {gain_words(found.gain)} "
        f"a single model; chosen on all of them it has {many} {'member' if many == 1 else 'members'}."
    )


def _temperature(stage: Stage, target: np.ndarray, predictions: list[np.ndarray]) -> float:
    if not predictions or stage.header.task["kind"] != "classification":
        return 1.0
    return fit_temperature(target, np.stack(predictions), seed=stage.config.seed)
