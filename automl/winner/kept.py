"""What trials and confirmations predicted for validation rows, beside what should have been. Reads files; decides nothing."""

from __future__ import annotations

import numpy as np

from automl.coordinator.stage import Stage
from automl.data import KNOWN, load_folds, load_part, load_schema
from automl.ledger import Attempt
from automl.winner.confirm import fresh_seed, has_longest, validated_fold

Predicted = list[tuple[np.ndarray, np.ndarray]]
"""(target, predictions), of models that did not train on these rows."""


def validation_target(stage: Stage) -> np.ndarray:
    """Of the rows that trials predicted: the validation part, or with folds all but the test part."""
    parts = ("train", "validation") if stage.data.folds else ("validation",)
    arrays = [load_part(stage.data_folder, stage.data, part) for part in parts]
    target = np.concatenate([part.target for part in arrays])
    if stage.header.task["kind"] == "classification":
        return target
    units = [part.units for part in arrays if part.units is not None]
    return load_schema(stage.data_folder, stage.data).decode(target, np.concatenate(units) if units else None)


def validation_clusters(stage: Stage) -> np.ndarray | None:
    """Which of the rows that trials predicted belong together; see `Arrays.clusters`."""
    return load_part(stage.data_folder, stage.data, KNOWN if stage.data.folds else "validation").clusters


def of_trial(stage: Stage, attempt: Attempt) -> list[np.ndarray]:
    """Its validation predictions, or none where they were not kept: the ledger remembers files that are long deleted."""
    artifact = attempt.outcome.artifacts.get("predictions") if attempt.outcome is not None else None
    if attempt.state != "complete" or artifact is None:
        return []
    try:
        return [np.load(stage.folder.root / artifact.path, allow_pickle=False)]
    except (OSError, ValueError):
        return []


def of_confirmations(stage: Stage, trial: Attempt) -> Predicted:
    """Those of a trial's fresh seeds; with folds each is of another fold's rows."""
    confirmed = stage.ledger.attempts(kind="confirm", final=True)
    runs = [run for run in confirmed if run.slot == trial.slot and has_longest(run, stage.deadline.longest_fit)]
    found = [(fresh_seed(run), rows) for run in runs for rows in of_trial(stage, run)]
    target = validation_target(stage)
    if not stage.data.folds:
        return [(target, rows) for _, rows in found]
    fold = load_folds(stage.data_folder, stage.data)
    return [(target[fold == validated_fold(number, stage.data.folds)], rows) for number, rows in found]


def most_rows(stage: Stage, trial: Attempt) -> Predicted:
    """All rows from the trial itself where it predicted them fold by fold; else the fresh seeds', which the search did not pick."""
    own = [(validation_target(stage), rows) for rows in of_trial(stage, trial)]
    fresh = of_confirmations(stage, trial)
    return (own or fresh) if stage.data.folds else (fresh or own)
