"""What trials and confirmations predicted for validation rows, beside the true values of these rows. Reads files; decides nothing.

Workers keep the predictions of each family's best trials on disk (`coordinator/trials.py`). Ensembles, thresholds and temperatures are
chosen by them.
"""

from __future__ import annotations

from zipfile import BadZipFile

import numpy as np

from automl.coordinator.stage import Stage
from automl.data import KNOWN, load_folds, load_part, load_schema
from automl.ledger import Attempt
from automl.winner.confirm import fresh_seed, has_longest, validated_fold

Predicted = list[tuple[np.ndarray, np.ndarray]]
"""Pairs of (true values, predictions) for the same rows, one pair a model; the model did not train on these rows."""


def validation_target(stage: Stage) -> np.ndarray:
    """Return the true values of the rows that a trial predicts: the validation part, or with folds all rows but the test part.

    Class indices, or numbers in the target's own units.
    """
    parts = ("train", "validation") if stage.data.folds else ("validation",)
    arrays = [load_part(stage.data_folder, stage.data, part) for part in parts]
    target = np.concatenate([part.target for part in arrays])
    if stage.header.task["kind"] == "classification":
        return target
    units = [part.units for part in arrays if part.units is not None]
    return load_schema(stage.data_folder, stage.data).decode(target, np.concatenate(units) if units else None)


def validation_clusters(stage: Stage) -> np.ndarray | None:
    """Return which of the rows that a trial predicts belong together, as `Arrays.clusters` says; None where each stands alone."""
    return load_part(stage.data_folder, stage.data, KNOWN if stage.data.folds else "validation").clusters


def of_trial(stage: Stage, attempt: Attempt) -> list[np.ndarray]:
    """Return what a trial or a confirmation predicted: a list of one array, or of none where the file is gone.

    Only the best keep theirs, but the ledger remembers where the others' were.
    """
    artifact = attempt.outcome.artifacts.get("predictions") if attempt.outcome is not None else None
    if attempt.state != "complete" or artifact is None:
        return []
    try:
        return [np.load(stage.folder.root / artifact.path, allow_pickle=False)]
    except (OSError, EOFError, ValueError, BadZipFile):
        return []


def of_confirmations(stage: Stage, trial: Attempt) -> Predicted:
    """Return what each confirmation of a trial predicted, a pair a fresh seed: for all validation rows, or with folds for one fold's.

    Confirmations that an earlier run of the search gave another time are left out: they are not compared with the others.
    """
    confirmed = stage.ledger.attempts(kind="confirm", final=True)
    runs = [run for run in confirmed if run.slot == trial.slot and has_longest(run, stage.deadline.longest_fit)]
    found = [(fresh_seed(run), rows) for run in runs for rows in of_trial(stage, run)]
    target = validation_target(stage)
    if not stage.data.folds:
        return [(target, rows) for _, rows in found]
    fold = load_folds(stage.data_folder, stage.data)
    return [(target[fold == validated_fold(number, stage.data.folds)], rows) for number, rows in found]


def most_rows(stage: Stage, trial: Attempt) -> Predicted:
    """Return the predictions that say the most of a trial.

    With folds those are its own, since they cover every row. Without, they are its confirmations': the search picked the trial for what
    it predicted, so that flatters. Where the better ones are gone, the others.
    """
    own = [(validation_target(stage), rows) for rows in of_trial(stage, trial)]
    fresh = of_confirmations(stage, trial)
    return (own or fresh) if stage.data.folds else (fresh or own)
