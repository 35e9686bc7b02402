"""What a search says at its end is what the test rows say: real predictions in, judged by the real verdict and the real gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import stubs

from automl.bundle.format import MANIFEST, make_manifest, read_manifest
from automl.ledger import Attempt
from automl.messages import Outcome
from automl.winner.blend import Blend, Share
from automl.winner.calibration import calibrate
from automl.winner.conclude import Conclusion, facts_of
from automl.winner.confirm import Candidate, Scored
from automl.winner.judge import Finalists, Judgement, judge
from automl.winner.sealed import Scores

ROWS = 200
SINGLE = Blend((), False, "", 1.5)
TARGET = np.random.default_rng(0).normal(size=ROWS) * 10
TASK = {"name": "bowl", "metric": "mae", "direction": "minimize", "kind": "regression"}


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


@dataclass
class Read:
    """A reading of the test part: who came to it, and what they predicted."""

    rivals: tuple[Candidate, ...] = (WINNER, DEFAULT)
    predictions: dict[str, np.ndarray] = field(
        default_factory=lambda: {"model": off_by(2.0, 1), "default": off_by(4.0, 2), "mean": np.zeros(ROWS)}
    )
    scored: tuple[Scored, ...] = (WEIGHTS,)

    @property
    def finalists(self) -> Finalists:
        return Finalists(self.rivals[0], self.rivals[1], self.rivals, self.scored, SINGLE)

    def judged(self, champion: dict[str, object] | None = None) -> Judgement:
        return judge(TASK, self.finalists, Scores(TARGET, self.predictions), seed=0, champion=champion)


@pytest.fixture
def read() -> Read:
    return Read()


def test_the_test_value_and_its_interval_are_the_test_rows_and_not_the_validation_rows(
    read: Read, tmp_path: Path
) -> None:
    found, header = read.judged(), stubs.header()
    facts = facts_of(header, read.finalists, found.evidence)
    (tmp_path / MANIFEST).write_bytes(make_manifest(tmp_path / "nothing", facts))
    document = Conclusion(read.finalists, found, "score-5-0-0", tmp_path, {}).document()
    best = document["best"]
    assert (best["validation"], best["test"]) == pytest.approx((1.01, 2.0))
    low, high = best["test_interval"]
    assert 1.5 < low < 2.0 < high < 2.5
    assert facts.values["validation"] == best["validation"]
    assert [facts.values[name] for name in ("test", "test_low", "test_high")] == [best["test"], low, high]
    assert document["baselines"] == {"mean": facts.values["mean"]} == {"mean": pytest.approx(np.abs(TARGET).mean())}
    assert document["default"]["validation"] == pytest.approx(1.51)
    assert document["test_gains"]["default"][0] == pytest.approx(2.0)
    assert document["score"] == "score-5-0-0"
    assert document["bundle_digest"] == read_manifest(tmp_path).digest
    assert (facts.seed, facts.data) == (header.config["seed"], header.data["content"])


@pytest.mark.parametrize(("taken", "validation"), [(False, 1.01), (True, 0.9)])
def test_the_validation_value_is_that_of_what_is_exported(read: Read, taken: bool, validation: float) -> None:
    """Test rows that are far worse than it are a reason, and the card has it."""
    blend = Blend((Share(WINNER.attempt, 0.5), Share(DEFAULT.attempt, 0.5)), taken, "", 1.5, validation=0.9)
    finalists = Finalists(WINNER, DEFAULT, (WINNER, DEFAULT), (WEIGHTS,), blend)
    found = judge(TASK, finalists, Scores(TARGET, read.predictions), seed=0)
    assert finalists.validation == pytest.approx(validation)
    assert facts_of(stubs.header(), finalists, found.evidence).values["validation"] == finalists.validation
    assert found.verdict.reasons[-1].startswith(f"On validation rows it had {validation:g}, far from the test rows'")


def test_less_of_an_error_is_better_than_the_default(read: Read) -> None:
    found = read.judged()
    assert found.verdict.words == "better than default"
    assert found.evidence.gains["default"].value == pytest.approx(2.0)


def test_a_winner_that_the_test_rows_do_not_confirm_is_not_better(read: Read) -> None:
    read.predictions["default"] = off_by(2.0, 2)
    assert read.judged().verdict.words == "not better than the default"


def test_the_best_of_many_rivals_is_judged_as_such(read: Read) -> None:
    """The same winner and default are `better than default` where nobody else was confirmed beside them."""
    winner, default = confirmed(5, 1.015, 1.009, 1.012), confirmed(0, 1.021, 1.015, 1.018)
    shifts = enumerate((0.0, 0.001, -0.001, 0.002, -0.002, 0.0005), start=6)
    others = [confirmed(slot, 1.021, 1.015, 1.018 - shift) for slot, shift in shifts]
    read.rivals = (winner, default)
    assert read.judged().verdict.words == "better than default"
    read.rivals = (winner, default, *others)
    assert read.judged().verdict.words == "not better than the default"


@pytest.mark.parametrize(("taken", "reason"), [(False, "The winner is its family's default"), (True, "the ensemble")])
def test_a_winner_that_is_the_default_is_judged_as_such(taken: bool, reason: str) -> None:
    shares = (Share(WINNER.attempt, 0.5), Share(DEFAULT.attempt, 0.5))
    blend = Blend(shares, taken, "", 1.5, validation=1.0)
    finalists = Finalists(DEFAULT, DEFAULT, (WINNER, DEFAULT), (WEIGHTS,), blend)
    predictions = {"model": off_by(2.0, 1), "mean": np.zeros(ROWS)}
    if taken:
        predictions["single"] = off_by(4.0, 2)
    verdict = judge(TASK, finalists, Scores(TARGET, predictions), seed=0).verdict
    assert verdict.words == ("better than default" if taken else "not better than the default")
    assert reason in verdict.reasons[0]


@pytest.mark.parametrize(("theirs", "moves"), [(4.0, True), (1.0, False)])
def test_the_champion_gives_way_to_less_of_an_error_alone(read: Read, theirs: float, moves: bool) -> None:
    read.predictions["champion"] = off_by(theirs, 3)
    found = read.judged({"version": 3, "folder": "c", "trouble": ""}).challenge
    assert found is not None
    assert (found.champion, found.moves) == (3, moves)
    assert found.gain is not None
    assert found.gain.value == pytest.approx(theirs - 2.0)


def test_a_champion_that_could_not_be_fetched_keeps_its_place_and_says_why(read: Read) -> None:
    found = read.judged({"version": 3, "folder": None, "trouble": "its bundle is gone"}).challenge
    assert found is not None
    assert (found.moves, found.why) == (False, "its bundle is gone")


@pytest.mark.parametrize(("role", "is_said"), [("model", True), ("default", False)])
def test_weights_that_did_not_see_the_validation_rows_are_said_where_they_are_exported(
    read: Read, role: str, is_said: bool
) -> None:
    both = (WEIGHTS, Scored(DEFAULT.attempt, "w", "default"))
    read.scored = tuple(Scored(one.trial, "w", one.role, is_of_trial=one.role == role) for one in both)
    assert any("Time cut the refit short" in reason for reason in read.judged().verdict.reasons) == is_said


def test_calibration_is_that_of_the_temperature_that_is_exported() -> None:
    """Twice the logits of a model that is right on nine rows of ten, and says so, are surer than it was right."""
    classes = (TARGET > 0).astype(np.int64)

    def sure_of(share: float) -> np.ndarray:
        right = np.where(np.arange(ROWS) % 10, share, 1 - share)
        return np.stack([np.where(classes == 0, right, 1 - right), np.where(classes == 1, right, 1 - right)], axis=1)

    shares = (Share(WINNER.attempt, 0.5), Share(DEFAULT.attempt, 0.5))
    blend = Blend(shares, True, "It gains.", 1.5, ensemble_temperature=2.0, validation=0.95)
    finalists = Finalists(WINNER, DEFAULT, (WINNER, DEFAULT), (WEIGHTS,), blend)
    task = {**TASK, "kind": "classification", "metric": "accuracy", "direction": "maximize"}
    found = judge(
        task, finalists, Scores(classes, {"model": sure_of(0.9), "default": sure_of(0.8)}), seed=0
    ).calibration
    assert found is not None
    assert found == calibrate(classes, sure_of(0.9), 2.0)
    assert found.ece_after == pytest.approx(0.0)
    assert found.ece_before == pytest.approx(0.9**2 / (0.9**2 + 0.1**2) - 0.9)
