"""A space and a search without torch: the core is tested in milliseconds. What works for it is in `stub_worker.py`."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from automl.config import Budget, SearchConfig
from automl.coordinator.study import FamilyStudy
from automl.coordinator.trials import TrialDecision
from automl.ledger import Header, Ledger, SearchFolder
from automl.messages import DataRef, Spec

SPEC = Spec((), (), rows=100, classes=2, loss="cross_entropy", max_resource=5)
DATA = DataRef("key", "content")


def suggest(trial: Any, spec: Spec) -> dict[str, Any]:
    """A bowl with its optimum at x = 0.7, and a choice that does not matter."""
    return {"x": trial.suggest_float("x", 0.0, 1.0), "kind": trial.suggest_categorical("kind", ["a", "b"])}


SPACE = SimpleNamespace(INPUTS=("table",), DEFAULT={"x": 0.5, "kind": "a"}, suggest=suggest)


def study(seed: int = 0, **choices: Any) -> FamilyStudy:
    """A study of the bowl."""
    settings: dict[str, Any] = {"direction": "minimize", "sampler": "tpe", "pruner": "none", "seed": seed, **choices}
    return FamilyStudy(SPACE, SPEC, **settings)


def decision(slots: int = 6, *, families: tuple[str, ...] = ("bowl",), seed: int = 0, **choices: Any) -> TrialDecision:
    """Trials on the bowl; `choices` are of its studies."""
    studies = {family: study(seed, **choices) for family in families}
    config = SearchConfig(budget=Budget(trials=slots), seed=seed)
    return TrialDecision(studies, SPEC, DATA, config, metric="loss", direction="minimize")


def header(name: str = "bowl-0") -> Header:
    """The first row of a ledger."""
    task = {"name": "bowl", "source": "made up", "metric": "loss", "direction": "minimize"}
    data = {"content": "c0ffee", "rows": 100, "features": 1}
    config = {"budget": {"trials": 6, "seconds": None}, "seed": 0, "sampler": "tpe"}
    return Header("ab" * 16, name, 1_700_000_000_000, task, config, {}, data, {"git_commit": "0" * 40})


def new_search(folder: Path) -> tuple[Ledger, SearchFolder]:
    """An open ledger in a fresh search folder."""
    search = SearchFolder(folder / "search")
    search.create()
    ledger = Ledger.open(search.ledger)
    if ledger.header() is None:
        ledger.begin(header())
    return ledger, search


def assert_each_slot_final_once(ledger: Ledger, slots: int) -> None:
    """The guarantee of the exact budget, read from the ledger alone."""
    finals = sorted(attempt.slot for attempt in ledger.attempts(kind="trial", final=True))
    assert finals == list(range(slots))
    assert ledger.attempts(state="open") == []
    assert all(a.value is None or math.isfinite(a.value) for a in ledger.attempts())
