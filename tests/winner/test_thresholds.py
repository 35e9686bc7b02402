"""Each model is judged by its own threshold, which is fixed before the test is read, and no temperature changes a decision."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import stubs
from exported import assigned, compared

from automl.data import load_part
from automl.ledger import Attempt
from automl.tasks.metrics import best_threshold, decide, measure
from automl.winner.blend import Blend
from automl.winner.calibration import rescale
from automl.winner.confirm import Candidate, Scored, WinnerWork
from automl.winner.ensemble import select
from automl.winner.evidence import weigh
from automl.winner.gate import challenge
from automl.winner.sealed import Scores, read_scores
from automl.worker.baselines import baseline_thresholds
from automl.worker.scoring import score

WORK = WinnerWork(stubs.SPEC, stubs.DATA, "f1", "maximize", seed=0, seeds=2)
TRIAL = Attempt("trial", 5, 0, 0, "mlp", {}, 0, state="complete", value=0.5)


def rare(rows: int, seed: int, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A rare second class whose probability seldom exceeds a half."""
    rng = np.random.default_rng(seed)
    target = (np.arange(rows) % 15 == 0).astype(np.int64)
    second = 1 / (1 + np.exp(2.5 - 2 * target - noise * rng.normal(size=rows)))
    return target, np.stack([1 - second, second], axis=1)


def test_each_side_is_judged_by_its_own_threshold():
    target, prediction = rare(300, 0)
    shifted = np.stack([1 - prediction[:, 1] / 2, prediction[:, 1] / 2], axis=1)
    scores = Scores(target, {"model": prediction, "default": shifted}, {"model": 0.3, "default": 0.15})
    found = weigh("f1", "maximize", scores, seed=0)
    assert found.test.value == measure("f1", target, prediction, 0.3) > measure("f1", target, prediction)
    assert (found.gains["default"].value, found.gains["default"].low) == (0, 0)


def test_a_metric_of_probabilities_sees_them_whatever_a_champion_decides_by():
    target, prediction = rare(300, 0)
    scores = Scores(target, {"model": prediction, "champion": prediction}, {"champion": 0.2})
    found = challenge("log_loss", "minimize", scores, {"version": 1, "trouble": ""}, "", seed=0)
    assert found.gain.value == 0
    gain = measure("f1", target, prediction) - measure("f1", target, prediction, 0.2)
    assert challenge("f1", "maximize", scores, {"version": 1, "trouble": ""}, "", seed=0).gain.value == gain != 0


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_a_temperature_changes_no_decision(temperature):
    target, prediction = rare(300, 0)
    line = best_threshold("f1", target, prediction)
    blend = Blend((), False, "", temperature, threshold=line)
    after = decide(rescale(prediction, temperature), blend.exported_threshold)
    np.testing.assert_array_equal(after, decide(prediction, line))
    assert Blend((), False, "", temperature).exported_threshold == 0.5


def test_thresholds_are_part_of_what_is_assigned_and_of_what_is_exported():
    winner, scored = Candidate(TRIAL, (0.5,), 3), [Scored(TRIAL, "w")]
    plain, same, other = (
        WORK.finishing(winner, scored, thresholds=lines)
        for lines in ({}, {"model": 0.5, "default": 0.5}, {"model": 0.2})
    )
    assert [one.work for one in plain] == [one.work for one in same]
    assert other[0].work != plain[0].work
    assert [WORK.describe(one).thresholds for one in other] == [{"model": 0.2}] * 2


def test_an_ensemble_of_a_rare_class_is_judged_by_thresholds_of_rows_that_did_not_choose_them():
    target, _ = rare(600, 0)
    candidates = [rare(600, seed, noise=1.5)[1] for seed in range(4)]
    found = select("f1", "maximize", target, candidates, seed=0)
    assert found.value > measure("f1", target, found.held_out) + 0.1
    assert found.gain.value > 0.05


def test_no_threshold_is_chosen_by_the_rows_that_it_is_judged_by():
    """Predictions that are chance are worth no more than always the rare class; a threshold of their own rows makes them more."""
    target, values = (np.arange(100) % 10 == 0).astype(np.int64), []
    for seed in range(3):
        second = np.random.default_rng(seed).random(100)
        values.append(select("f1", "maximize", target, [np.stack([1 - second, second], axis=1)], seed=seed).value)
    assert np.mean(values) < measure("f1", target, np.eye(2)[np.ones(100, dtype=np.int64)])


def test_a_score_decides_for_each_role_and_baseline_and_remembers_by_what(tmp_path):
    assignment, places = assigned(tmp_path, "breast_cancer", threshold=0.4)
    asked = compared(dataclasses.replace(assignment, metric="f1"), places)
    (outcome,) = score(asked, places)
    scores = read_scores(places.search / outcome.artifacts["predictions"].path)
    assert scores.thresholds["model"] == 0.4
    assert scores.thresholds["majority"] == 0.5 != scores.thresholds["linear"]
    target = load_part(places.data, asked.data, "test").target
    assert outcome.value == outcome.values["f1"] == measure("f1", target, scores.predictions["model"], 0.4)
    assert outcome.values["accuracy"] == measure("accuracy", target, scores.predictions["model"], 0.4)
    line = scores.thresholds["linear"]
    assert outcome.values["linear"] == measure("f1", target, scores.predictions["linear"], line)


def test_baselines_have_no_threshold_where_none_serves():
    assert baseline_thresholds(None, "accuracy", None, None) == {}  # type: ignore[arg-type]


def test_scores_of_an_earlier_version_were_decided_by_a_half(tmp_path):
    np.savez(tmp_path / "old.npz", target=np.array([0, 1]), model=np.eye(2))
    assert read_scores(tmp_path / "old.npz").thresholds == {"model": 0.5}
