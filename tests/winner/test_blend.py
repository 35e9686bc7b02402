"""An ensemble averages what its networks learn: where that is a logarithm, so it is when it is chosen and when it is exported."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from automl.bundle.combined import combine
from automl.ledger import Attempt
from automl.messages import Outcome
from automl.winner import blend
from automl.winner.confirm import Candidate

ROWS = 40
LEARNED = (0.0, 2.0)
"""What two networks learned to say of every row: log(1 + 0) and log(1 + e^2 - 1)."""


class Constant(nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, 0] * 0 + self.value


def trial(slot: int) -> Attempt:
    outcome = Outcome(f"trial-{slot}-0-0", 0, "complete", value=1.0, best_step=1, steps=9)
    return Attempt("trial", slot, 0, 0, "mlp", {}, slot, state="complete", value=1.0, outcome=outcome)


def chosen(monkeypatch: pytest.MonkeyPatch, *, logarithmic: bool) -> blend.Blend:
    """Of two trials that predict 0 and e^2 - 1 where what is right lies around e - 1."""
    target = math.e - 1 + 0.01 * np.random.default_rng(0).normal(size=ROWS)
    predictions = {slot: np.full(ROWS, math.expm1(value)) for slot, value in enumerate(LEARNED)}
    known: dict[str, Any] = {
        "validation_target": lambda stage: target,
        "validation_clusters": lambda stage: None,
        "of_confirmations": lambda stage, attempt: [],
        "of_trial": lambda stage, attempt: [predictions[attempt.slot]],
        "most_rows": lambda stage, attempt: [],
        "load_schema": lambda *_: SimpleNamespace(logarithmic=logarithmic),
    }
    for name, answer in known.items():
        monkeypatch.setattr(blend, name, answer)
    stage: Any = SimpleNamespace(
        data=SimpleNamespace(folds=0),
        data_folder=None,
        config=SimpleNamespace(seed=0),
        header=SimpleNamespace(task={"metric": "rmsle", "direction": "minimize", "kind": "regression"}),
        deadline=SimpleNamespace(can_refit=lambda trials: True, is_set=True),
    )
    trials = [trial(0), trial(1)]
    return blend.choose_blend(stage, trials, Candidate(trials[0], (1.0,), 1), None)


def test_of_a_logarithm_the_members_meet_at_e_minus_1_and_the_exported_model_says_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = chosen(monkeypatch, logarithmic=True)
    assert found.taken
    assert found.weights == pytest.approx({"mlp-0": 0.5, "mlp-1": 0.5}, abs=0.05)
    assert found.validation == pytest.approx(0.0, abs=0.02)  # the plain mean, 3.19, is 0.43 away
    exported = combine([Constant(value) for value in LEARNED], (0.5, 0.5), 1.0, classes=0)
    assert np.expm1(exported(torch.zeros(3, 1)).numpy()) == pytest.approx(math.e - 1)


def test_of_plain_numbers_the_plain_mean_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    found = chosen(monkeypatch, logarithmic=False)
    assert found.weights.get("mlp-0", 0.0) > 0.6  # e - 1 lies nearer to 0 than to e^2 - 1
