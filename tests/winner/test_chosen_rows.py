"""Temperature and threshold are chosen by rows that had no say in the model: which those are, on prepared data and kept files."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from automl.data import load_folds, prepare
from automl.ledger import Attempt
from automl.messages import Artifact, Kind, Outcome
from automl.tasks import load_task
from automl.tasks.metrics import best_threshold
from automl.winner.blend import Blend, choose_blend
from automl.winner.calibration import fit_temperature
from automl.winner.confirm import Candidate, validated_fold
from automl.winner.ensemble import select
from automl.winner.kept import of_confirmations, validation_target


class Kept:
    """A search's prepared data, and what its trials and confirmations predicted for the rows of it that are validated on."""

    def __init__(self, root: Path, *, folds: bool) -> None:
        task = load_task("breast_cancer")
        task = dataclasses.replace(task, evaluation="folds") if folds else task
        self.root, self.data, self.data_folder = (
            root,
            prepare(task, seed=0, data_folder=root / "data").ref,
            root / "data",
        )
        self.header = SimpleNamespace(task={"metric": "f1", "direction": "maximize", "kind": "classification"})
        self.config = SimpleNamespace(seed=0)
        self.deadline = SimpleNamespace(can_refit=lambda trials: True, is_set=True, longest_fit=None)
        self.folder = self.ledger = self
        self.confirmed: list[Attempt] = []
        self.target = validation_target(self)  # type: ignore[arg-type]

    def attempts(self, *, kind: str, final: bool) -> list[Attempt]:
        return self.confirmed

    def predicts(self, seed: int, *, sure: float = 1.0, shift: float = 0.0) -> np.ndarray:
        """Probabilities that are calibrated, but for being `sure` times too sure, and of logits that are `shift` too high."""
        seen = np.where(self.target == 1, 0.8, -0.8) + np.random.default_rng(seed).normal(size=len(self.target))
        odds = np.log(self.target.mean() / (1 - self.target.mean()))
        second = 1 / (1 + np.exp(-sure * (1.6 * seen + odds) - shift))
        return np.stack([1 - second, second], axis=1)

    def keep(self, kind: Kind, slot: int, rows: np.ndarray, number: int = 0) -> Attempt:
        path = f"{kind}-{slot}-{number}.npy"
        np.save(self.root / path, rows)
        artifacts = {"predictions": Artifact(path, "0" * 64, 1)}
        outcome = Outcome(path, 0, "complete", value=0.8, best_step=1, steps=9, artifacts=artifacts)
        return Attempt(
            kind, slot, number, 0, "mlp", {}, 0, {"number": number}, state="complete", final=True, value=0.8, outcome=outcome
        )  # fmt: skip

    def confirm(self, slot: int, rows: np.ndarray, numbers: range = range(2)) -> None:
        for number in numbers:
            self.confirmed.append(self.keep("confirm", slot, rows[self.validated(number)], number))

    def validated(self, number: int) -> Any:
        if not self.data.folds:
            return slice(None)
        fold = load_folds(self.data_folder, self.data)
        return fold == validated_fold(number, self.data.folds)

    def choose(self, *trials: Attempt, default: Attempt | None = None) -> Blend:
        candidates = [Candidate(one, (0.8, 0.8), 4) if one else None for one in (trials[0], default)]
        return choose_blend(self, trials, *candidates)  # type: ignore[arg-type]


@pytest.mark.parametrize("folds", [False, True])
def test_a_single_winner_is_scaled_by_its_fresh_seeds_or_with_folds_by_all_rows(tmp_path: Path, folds: bool) -> None:
    kept = Kept(tmp_path, folds=folds)
    kept.confirm(5, kept.predicts(1, sure=1.0 if folds else 3.0))
    found = kept.choose(kept.keep("trial", 5, kept.predicts(2, sure=3.0 if folds else 1.0)))
    assert 2.0 < found.temperature < 4.5


@pytest.mark.parametrize("folds", [False, True])
def test_winner_and_default_are_decided_by_their_fresh_seeds_or_with_folds_by_all_rows(
    tmp_path: Path, folds: bool
) -> None:
    kept = Kept(tmp_path, folds=folds)
    told, not_told = (-2.0, 2.0), (2.0, -2.0)
    own, fresh = (told, not_told) if folds else (not_told, told)
    for slot, shift in zip((5, 0), fresh, strict=True):
        kept.confirm(slot, kept.predicts(1, shift=shift))
    winner, default = (
        kept.keep("trial", slot, kept.predicts(2, shift=shift)) for slot, shift in zip((5, 0), own, strict=True)
    )
    found = kept.choose(winner, default=default)
    assert found.threshold < 0.3 < 0.7 < found.default_threshold


def test_with_folds_a_confirmation_stands_beside_the_rows_of_its_own_fold(tmp_path: Path) -> None:
    kept = Kept(tmp_path, folds=True)
    certain = np.eye(2)[kept.target]
    kept.confirm(5, certain, range(3))
    kept.confirm(6, kept.predicts(1))
    found = of_confirmations(kept, kept.keep("trial", 5, certain))  # type: ignore[arg-type]
    assert len(found) == 3
    for target, rows in found:
        np.testing.assert_array_equal(np.eye(2)[target], rows)


def test_an_ensemble_is_scaled_and_decided_by_rows_that_did_not_choose_it(tmp_path: Path) -> None:
    kept = Kept(tmp_path, folds=True)
    predictions = [kept.predicts(seed, sure=2.0, shift=-1.0) for seed in range(2)]
    found = kept.choose(*(kept.keep("trial", slot, rows) for slot, rows in enumerate(predictions)))
    held_out = select("f1", "maximize", kept.target, predictions, seed=0).held_out
    assert found.taken
    assert found.exported_temperature == fit_temperature(kept.target, held_out[None], seed=0) != found.temperature
    assert found.ensemble_threshold == best_threshold("f1", kept.target, held_out) != found.threshold


def test_each_role_is_decided_by_its_own_threshold() -> None:
    lines = {"threshold": 0.3, "ensemble_threshold": 0.7, "default_threshold": 0.6}
    taken, single = (Blend((), taken, "", 1.0, 1.0, **lines) for taken in (True, False))
    assert taken.thresholds == pytest.approx({"model": 0.7, "single": 0.3, "default": 0.6})
    assert single.thresholds == pytest.approx({"model": 0.3, "single": 0.3, "default": 0.6})
