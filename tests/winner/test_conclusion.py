"""What a search says at its end is what the test rows say: real predictions in, judged by the real verdict and the real gate."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import stubs

from automl.bundle import Facts
from automl.bundle.format import MANIFEST, make_manifest, read_manifest
from automl.ledger import Attempt
from automl.messages import Artifact, Outcome
from automl.winner import conclude
from automl.winner.blend import Blend, Share
from automl.winner.calibration import calibrate
from automl.winner.confirm import Candidate, Scored

ROWS = 200
SINGLE = Blend((), False, "", 1.5)
TARGET = np.random.default_rng(0).normal(size=ROWS) * 10
CLASSES = (TARGET > 0).astype(np.int64)


def confirmed(slot: int, *values: float) -> Candidate:
    outcome = Outcome(f"trial-{slot}-0-0", 0, "complete", value=values[0], best_step=4, steps=9)
    trial = Attempt("trial", slot, 0, 0, "mlp", {}, slot, state="complete", value=values[0], outcome=outcome)
    return Candidate(trial, values, 4)


DEFAULT, WINNER = confirmed(0, 1.5, 1.52, 1.51), confirmed(5, 1.0, 1.02, 1.01)
WEIGHTS = Scored(WINNER.attempt, "w")


def off_by(error: float, seed: int) -> np.ndarray:
    """Predictions with that mean absolute error."""
    noise = np.abs(np.random.default_rng(seed).normal(size=ROWS))
    return TARGET + error * noise / noise.mean() * np.where(np.arange(ROWS) % 2, 1, -1)


def sure_of(share: float) -> np.ndarray:
    """Probabilities that are right on nine rows of ten, and always as sure."""
    right = np.where(np.arange(ROWS) % 10, share, 1 - share)
    return np.stack([np.where(CLASSES == 0, right, 1 - right), np.where(CLASSES == 1, right, 1 - right)], axis=1)


@dataclass
class Search:
    """One whose steps before the judgement are made up: what was confirmed, and what was predicted for the test rows."""

    root: Path
    rivals: tuple[Candidate, ...] = (WINNER, DEFAULT)
    predictions: dict[str, np.ndarray] = field(
        default_factory=lambda: {"model": off_by(2.0, 1), "default": off_by(4.0, 2), "mean": np.zeros(ROWS)}
    )
    target: np.ndarray = field(default_factory=lambda: TARGET)
    kind: str = "regression"
    metric: str = "mae"
    direction: str = "minimize"
    blend: Blend = SINGLE
    scored: tuple[Scored, ...] = (WEIGHTS,)
    champion: dict[str, Any] | None = None
    verified: list[Path] = field(default_factory=list)
    facts: list[Facts] = field(default_factory=list)

    def publish(self, staging: Path, target: Path, facts: Facts, *, importance: Any, verify: Any) -> Path:
        verify(staging)
        self.facts.append(facts)
        (self.root / MANIFEST).write_bytes(make_manifest(self.root / "nothing", facts))
        return self.root

    def conclude(self, monkeypatch: pytest.MonkeyPatch) -> conclude.Conclusion:
        np.savez(self.root / "scores.npz", target=self.target, **self.predictions)  # type: ignore[arg-type]
        score = Outcome("score-5-0-0", 0, "complete", artifacts={"predictions": Artifact("scores.npz", "0" * 64, 1)})
        steps: dict[str, Any] = {
            "CleanProcess": lambda families: nullcontext(SimpleNamespace(verify=self.verified.append)),
            "confirm_rivals": lambda *_: list(self.rivals),
            "choose_blend": lambda *_: self.blend,
            "refit_all": lambda *_: (list(self.scored), None, self.blend),
            "export_and_score": lambda *_: (Path("staging"), score, self.champion),
            "publish": self.publish,
        }
        for name, step in steps.items():
            monkeypatch.setattr(conclude, name, step)
        task = {"name": "bowl", "metric": self.metric, "direction": self.direction, "kind": self.kind}
        stage: Any = SimpleNamespace(
            spec=stubs.SPEC,
            data=stubs.DATA,
            deadline=None,
            config=SimpleNamespace(seed=0, confirm_seeds=3, precision="32-true", families_from=None),
            header=SimpleNamespace(task=task, name="bowl-0"),
            phases=SimpleNamespace(begin=lambda name: None),
            champion=SimpleNamespace(ask=lambda: None),
            folder=SimpleNamespace(root=self.root),
        )
        return conclude.conclude(stage, [one.attempt for one in self.rivals])


@pytest.fixture
def search(tmp_path: Path) -> Search:
    return Search(tmp_path)


def test_the_test_value_and_its_interval_are_the_test_rows_and_not_the_validation_rows(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = search.conclude(monkeypatch).document()
    best, (facts,) = document["best"], search.facts
    assert (best["validation"], best["test"]) == pytest.approx((1.01, 2.0))
    low, high = best["test_interval"]
    assert 1.5 < low < 2.0 < high < 2.5
    assert facts.values["validation"] == best["validation"]
    assert [facts.values[name] for name in ("test", "test_low", "test_high")] == [best["test"], low, high]
    assert document["baselines"] == {"mean": facts.values["mean"]} == {"mean": pytest.approx(np.abs(TARGET).mean())}
    assert document["default"]["validation"] == pytest.approx(1.51)
    assert document["score"] == "score-5-0-0"
    assert document["bundle_digest"] == read_manifest(search.root).digest


def test_less_of_an_error_is_better_than_the_default(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    found = search.conclude(monkeypatch)
    assert found.verdict.words == "better than default"
    assert found.evidence.gains["default"].value == pytest.approx(2.0)
    assert found.document()["test_gains"]["default"][0] == pytest.approx(2.0)


def test_a_winner_that_the_test_rows_do_not_confirm_is_not_better(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    search.predictions["default"] = off_by(2.0, 2)
    assert search.conclude(monkeypatch).verdict.words == "not better than the default"


def test_the_best_of_many_rivals_is_judged_as_such(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same winner and default are `better than default` where nobody else was confirmed beside them."""
    winner, default = confirmed(5, 1.015, 1.009, 1.012), confirmed(0, 1.021, 1.015, 1.018)
    shifts = enumerate((0.0, 0.001, -0.001, 0.002, -0.002, 0.0005), start=6)
    others = [confirmed(slot, 1.021, 1.015, 1.018 - shift) for slot, shift in shifts]
    search.rivals = (winner, default)
    assert search.conclude(monkeypatch).verdict.words == "better than default"
    search.rivals = (winner, default, *others)
    found = search.conclude(monkeypatch)
    assert found.winner is winner
    assert found.verdict.words == "not better than the default"


@pytest.mark.parametrize(("theirs", "moves"), [(4.0, True), (1.0, False)])
def test_the_champion_gives_way_to_less_of_an_error_alone(
    search: Search, monkeypatch: pytest.MonkeyPatch, theirs: float, moves: bool
) -> None:
    search.champion = {"version": 3, "folder": "c", "trouble": ""}
    search.predictions["champion"] = off_by(theirs, 3)
    challenge = search.conclude(monkeypatch).document()["challenge"]
    assert (challenge["champion"], challenge["moves"]) == (3, moves)
    assert challenge["gain"][0] == pytest.approx(theirs - 2.0)


def test_a_champion_that_could_not_be_fetched_keeps_its_place_and_says_why(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    search.champion = {"version": 3, "folder": None, "trouble": "its bundle is gone"}
    challenge = search.conclude(monkeypatch).document()["challenge"]
    assert (challenge["moves"], challenge["why"]) == (False, "its bundle is gone")


def test_no_bundle_is_published_that_the_clean_process_did_not_see(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    search.conclude(monkeypatch)
    assert search.verified == [Path("staging")]


@pytest.mark.parametrize(("role", "is_said"), [("model", True), ("default", False)])
def test_weights_that_did_not_see_the_validation_rows_are_said_where_they_are_exported(
    search: Search, monkeypatch: pytest.MonkeyPatch, role: str, is_said: bool
) -> None:
    search.scored = (WEIGHTS, Scored(DEFAULT.attempt, "w", "default"))
    search.scored = tuple(Scored(one.trial, "w", one.role, is_of_trial=one.role == role) for one in search.scored)
    reasons = search.conclude(monkeypatch).verdict.reasons
    assert any("Time cut the refit short" in reason for reason in reasons) == is_said


def test_calibration_is_that_of_the_temperature_that_is_exported(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = (Share(WINNER.attempt, 0.5), Share(DEFAULT.attempt, 0.5))
    search.blend = Blend(shares, True, "It gains.", 1.5, ensemble_temperature=2.0, validation=0.95)
    search.kind, search.metric, search.direction, search.target = "classification", "accuracy", "maximize", CLASSES
    search.predictions = {"model": sure_of(0.9), "default": sure_of(0.8)}
    found = search.conclude(monkeypatch).calibration
    assert found is not None
    assert found == calibrate(CLASSES, sure_of(0.9), 2.0)
    assert found.ece_after == pytest.approx(0.0)
    assert found.ece_before == pytest.approx(
        0.9**2 / (0.9**2 + 0.1**2) - 0.9
    )  # twice the logits: surer than it was right
