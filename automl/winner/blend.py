"""What is exported: the single winner or an ensemble of kept trials, and its temperature. Reads predictions; trains nothing.

Both are decided on validation rows, before the test is read, from models that did not train on those rows. The temperature of a single
winner comes from its confirmation runs: several seeds, none of which the search had picked for its luck. That of an ensemble comes from
the predictions of rows that had no say in its members. What is exported is then refitted with those rows too, so the temperature, if
anything, corrects a little too much; the sealed test shows by how much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from automl.coordinator.stage import Stage
from automl.data import load_part, load_schema
from automl.ledger import Attempt
from automl.winner.calibration import fit_temperature
from automl.winner.confirm import Candidate
from automl.winner.ensemble import FEWEST_ROWS, Selection, select

ALLOWANCE = 1 / 12
"""Share of the search's epochs that refits of further members may cost: with the confirmations a third."""


@dataclass(frozen=True, slots=True)
class Share:
    """A trial with its weight in the ensemble."""

    trial: Attempt
    weight: float


@dataclass(frozen=True, slots=True)
class Blend:
    """The choice, its reason, and the temperatures of both."""

    members: tuple[Share, ...]
    taken: bool
    why: str
    temperature: float
    """Of the single winner."""
    ensemble_temperature: float = 1.0
    validation: float | None = None
    """The ensemble's metric on validation rows that did not choose it."""

    @property
    def exported_temperature(self) -> float:
        """Of what is exported."""
        return self.ensemble_temperature if self.taken else self.temperature

    @property
    def weights(self) -> dict[str, float]:
        """Each member's weight, by family and slot."""
        return {f"{one.trial.family}-{one.trial.slot}": one.weight for one in self.members}

    def document(self) -> dict[str, Any]:
        """Return its part of the search's JSON document."""
        members = [{"slot": m.trial.slot, "family": m.trial.family, "weight": m.weight} for m in self.members]
        return {"members": members, "validation": self.validation, "taken": self.taken, "why": self.why}


def choose_blend(stage: Stage, trials: Sequence[Attempt], winner: Candidate) -> Blend:
    """Decide whether an ensemble replaces the winner."""
    target = _target(stage)
    # With folds a confirmation predicts other rows each time, and a trial all of them.
    fresh = [] if stage.data.folds else _of_confirmations(stage, winner)
    temperature = _temperature(stage, target, fresh or _of_trial(stage, winner.attempt))
    kept = [(trial, rows[0]) for trial in trials if (rows := _of_trial(stage, trial))]
    single = next((place for place, (trial, _) in enumerate(kept) if trial.slot == winner.attempt.slot), None)
    if reason := _why_not(stage, winner, len(kept), single, len(target)):
        return Blend((), False, reason, temperature)
    assert single is not None
    metric, direction = stage.header.task["metric"], stage.header.task["direction"]
    found = select(metric, direction, target, [rows for _, rows in kept], single, seed=stage.config.seed)
    members = tuple(Share(t, weight) for (t, _), weight in zip(kept, found.weights, strict=True) if weight > 0)
    why, taken = _reason(found), found.is_better
    if taken and (
        obstacle := _too_much(stage, trials, [m.trial for m in members if m.trial.slot != winner.attempt.slot])
    ):
        why, taken = f"{why} {obstacle}", False
    scaled = _temperature(stage, target, [found.held_out]) if taken else 1.0
    return Blend(members, taken, why, temperature, scaled, found.value)


def steps_of(trial: Attempt) -> int:
    """Epochs that a member is refitted for: its trial's best, since it was not confirmed."""
    return max(1, trial.outcome.best_step) if trial.outcome is not None else 1


def _why_not(stage: Stage, winner: Candidate, kept: int, single: int | None, rows: int) -> str:
    """The cheap reasons first; empty where a selection is worth its time."""
    ceiling = 1.0 if stage.header.task["direction"] == "maximize" else 0.0
    if winner.attempt.value == ceiling:
        return f"Not tried: the winner's trial has {ceiling:g}, the best there is."
    if kept < 2:
        return f"Not tried: it takes the predictions of two trials, and {kept} kept them."
    if single is None:
        return "Not tried: the winner's trial is not among the kept ones, so there is nothing to compare with."
    if rows < FEWEST_ROWS:
        return f"Not tried: {rows} validation rows are fewer than {FEWEST_ROWS}."
    if stage.deadline.refits_over(2):
        return "Not tried: no time was left."
    return ""


def _too_much(stage: Stage, trials: Sequence[Attempt], further: Sequence[Attempt]) -> str:
    """What speaks against refitting these beside the winner and its default; empty where nothing does.

    Epochs are counted, since seconds would differ from one run to the next; under a time budget only the time counts.
    """
    if stage.deadline.is_set:
        return "But no time is left for its refits." if stage.deadline.refits_over(2 + len(further)) else ""
    epochs = sum(map(steps_of, further))
    allowed = ALLOWANCE * sum(trial.outcome.steps for trial in trials if trial.outcome is not None)
    if epochs > allowed:
        return f"But its refits would take {epochs} epochs, and {allowed:.0f} are allowed."
    return ""


def _reason(found: Selection) -> str:
    gain = found.gain
    many = sum(weight > 0 for weight in found.weights)
    return (
        f"On validation rows that did not choose it an ensemble gains {gain.value:.4g} [{gain.low:.4g}, {gain.high:.4g}] "
        f"over the single winner; chosen on all of them it has {many} {'member' if many == 1 else 'members'}."
    )


def _temperature(stage: Stage, target: np.ndarray, predictions: list[np.ndarray]) -> float:
    if not predictions or stage.header.task["kind"] != "classification":
        return 1.0
    return fit_temperature(target, np.stack(predictions), seed=stage.config.seed)


def _target(stage: Stage) -> np.ndarray:
    """Of the rows that trials predicted: the validation part, or with folds all but the test part."""
    parts = ("train", "validation") if stage.data.folds else ("validation",)
    arrays = [load_part(stage.data_folder, stage.data, part) for part in parts]
    target = np.concatenate([part.target for part in arrays])
    if stage.header.task["kind"] == "classification":
        return target
    units = [part.units for part in arrays if part.units is not None]
    return load_schema(stage.data_folder, stage.data).decode(target, np.concatenate(units) if units else None)


def _of_confirmations(stage: Stage, winner: Candidate) -> list[np.ndarray]:
    runs = stage.ledger.attempts(kind="confirm", final=True)
    return [rows for run in runs if run.slot == winner.attempt.slot for rows in _of_trial(stage, run)]


def _of_trial(stage: Stage, attempt: Attempt) -> list[np.ndarray]:
    """Its validation predictions, or none where they were not kept: the ledger remembers files that are long deleted."""
    artifact = attempt.outcome.artifacts.get("predictions") if attempt.outcome is not None else None
    if attempt.state != "complete" or artifact is None:
        return []
    try:
        return [np.load(stage.folder.root / artifact.path, allow_pickle=False)]
    except (OSError, ValueError):
        return []
