"""A whole search that exports an ensemble: one bundle that predicts, one reading of the test, the difference to the single winner said."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.bundle import load_model
from automl.config import make_config
from automl.run import search
from automl.tasks import load_task
from automl.winner.ensemble import Selection


@pytest.mark.slow
def test_an_ensemble_that_is_taken_is_one_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows never show a gain beyond noise, so the decision is planted; all that follows is real."""
    monkeypatch.setattr(Selection, "is_better", property(lambda self: sum(w > 0 for w in self.weights) > 1))
    monkeypatch.setattr("automl.winner.blend.ALLOWANCE", 1.0)
    config = make_config(families=("mlp",), budget={"trials": 6}, max_epochs=3, executor="inline", tracking=False)
    document = search("breast_cancer", config)
    assert document["ensemble"]["taken"], document["ensemble"]["why"]
    assert document["best"]["family"] == "ensemble"
    assert sum(one["weight"] for one in document["ensemble"]["members"]) == pytest.approx(1)
    assert "single" in document["test_gains"]
    assert "single" not in document["baselines"]
    assert document["test_readings"] == 1
    model = load_model(document["bundle"])
    assert model.manifest.facts.family == "ensemble"
    rows = load_task("breast_cancer").read()
    assert (model.predict(rows.array()) == rows.target.astype(str)).mean() > 0.8
