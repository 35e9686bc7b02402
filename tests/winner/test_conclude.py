"""What is said of a winner is of what is exported: the single model, or the ensemble in its place."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import stubs

from automl.bundle import Facts
from automl.ledger import Attempt
from automl.messages import Artifact, Outcome
from automl.report.document import validated
from automl.winner import Evidence, Interval, conclude
from automl.winner.blend import Blend, Share
from automl.winner.confirm import Candidate


def trial(slot: int) -> Attempt:
    outcome = Outcome(f"trial-{slot}-0-0", 0, "complete", value=0.9, best_step=4, steps=9)
    return Attempt("trial", slot, 0, 0, "mlp", {}, slot, state="complete", value=0.9, outcome=outcome)


DEFAULT, WINNER = Candidate(trial(0), (0.8, 0.8), 4), Candidate(trial(5), (0.9, 0.92), 4)
SINGLE = Blend((), False, "", 1.0, validation=0.93)
ENSEMBLE = Blend((Share(WINNER.attempt, 0.5), Share(DEFAULT.attempt, 0.5)), True, "It gains.", 1.0, validation=0.95)


def concluded(monkeypatch: pytest.MonkeyPatch, winner: Candidate, blend: Blend) -> tuple[dict[str, Any], Facts, Any]:
    """What `decide` is handed, what the bundle's card says, and the conclusion; every step before them is made up."""
    told: list[dict[str, Any]] = []
    facts: list[Facts] = []
    evidence = Evidence(Interval(0.9, 0.8, 1.0), {"linear": 0.5}, {})
    score = Outcome("score", 0, "complete", artifacts={"predictions": Artifact("p", "0" * 64, 1)})
    rivals = [winner] if winner is DEFAULT else [winner, DEFAULT]
    steps: dict[str, Any] = {
        "CleanProcess": lambda families: nullcontext(SimpleNamespace(verify=None)),
        "confirm_rivals": lambda *_: rivals,
        "choose_blend": lambda *_: blend,
        "refit_all": lambda *_: ([], None, blend),
        "export_and_score": lambda *_: (Path("staging"), score, None),
        "read_scores": lambda path: None,
        "weigh": lambda *_, **__: evidence,
        "decide": lambda *_, **choices: told.append(choices),
        "publish": lambda staging, target, said, **_: facts.append(said) or Path("bundle"),
    }
    for name, step in steps.items():
        monkeypatch.setattr(conclude, name, step)
    monkeypatch.setattr(conclude.WinnerWork, "choose", lambda self, candidates: winner)
    stage: Any = SimpleNamespace(
        spec=stubs.SPEC,
        data=stubs.DATA,
        deadline=None,
        config=SimpleNamespace(seed=0, confirm_seeds=2, precision="32-true", families_from=None),
        header=SimpleNamespace(
            task={"name": "bowl", "metric": "accuracy", "direction": "maximize", "kind": "regression"}, name="bowl-0"
        ),
        phases=SimpleNamespace(begin=lambda name: None),
        champion=SimpleNamespace(ask=lambda: None),
        folder=SimpleNamespace(root=Path()),
    )
    found = conclude.conclude(stage, [DEFAULT.attempt, WINNER.attempt])
    return told[0], facts[0], found


@pytest.mark.parametrize(("blend", "validation"), [(SINGLE, WINNER.mean), (ENSEMBLE, 0.95)])
def test_the_validation_value_is_that_of_what_is_exported(
    monkeypatch: pytest.MonkeyPatch, blend: Blend, validation: float
) -> None:
    told, facts, found = concluded(monkeypatch, WINNER, blend)
    assert told["validation"] == facts.values["validation"] == validation
    assert found.blend.exported_validation(found.winner) == validation


@pytest.mark.parametrize(
    ("winner", "blend", "is_default", "is_replaced"),
    [(WINNER, ENSEMBLE, False, False), (DEFAULT, SINGLE, True, False), (DEFAULT, ENSEMBLE, False, True)],
)
def test_an_ensemble_may_take_the_place_of_the_default(
    monkeypatch: pytest.MonkeyPatch, winner: Candidate, blend: Blend, is_default: bool, is_replaced: bool
) -> None:
    told, *_ = concluded(monkeypatch, winner, blend)
    assert (told["is_default"], told["is_replaced"]) == (is_default, is_replaced)


@pytest.mark.parametrize(
    ("validation", "ensemble", "where"),
    [
        (0.95, {"taken": True, "validation": 0.95}, "on rows that did not choose it"),
        (0.91, {"taken": True, "validation": 0.95}, "on fresh seeds"),  # by an older version
        (0.91, {"taken": False, "validation": None}, "on fresh seeds"),
    ],
)
def test_the_rows_of_a_validation_value_are_named(validation: float, ensemble: dict[str, Any], where: str) -> None:
    document = {"best": {"slot": 5, "validation": validation}, "confirmed": [{"slot": 5, "values": [0.91]}]}
    assert validated({**document, "ensemble": ensemble}) == where
