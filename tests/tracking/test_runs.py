import math

import outbox_samples as samples
import pytest

from automl.tracking.runs import cut, end_content, search_content, slot_content


def content(record):
    return slot_content(record, uuid=samples.UUID, search="digits-0")


def points(record):
    return {name: value for name, value, _, _ in content(record).points}


def test_a_slot_has_exactly_the_tags_that_the_design_names():
    tags = content(samples.slot(3)).tags
    named = {"search", "family", "slot", "attempt", "state", "seed", "git_commit", "data_hash"}
    assert set(tags) == named | {"automl.trial_key"}
    assert tags["automl.trial_key"] == f"{samples.UUID}/3"
    assert tags["slot"] == "3"


def test_only_a_complete_slot_has_the_metric_that_is_sorted_by():
    assert points(samples.slot(3))["objective"] == 0.003
    assert "objective" not in points(samples.pruned(3))
    assert "objective" not in points(samples.failed(3))
    assert "objective" not in points(samples.slot(3, lost=True))


def test_each_end_of_a_slot_has_its_status():
    assert content(samples.slot(0)).status == "FINISHED"
    assert content(samples.pruned(0)).status == "FINISHED"
    assert content(samples.pruned(0)).tags["state"] == "pruned"
    assert content(samples.failed(0)).status == "FAILED"
    assert content(samples.failed(0)).tags["reason"] == "diverged (NaN at epoch 1)"
    assert content(samples.failed(0, lost=True)).status == "KILLED"


def test_curves_keep_their_steps_and_stored_times():
    got = content(samples.slot(0, epochs=2)).points
    assert ("curve/loss", 0.5, samples.START_MS + 2000, 2) in got
    assert ("curve/objective", 0.2, samples.START_MS + 2000, 2) in got


def test_the_value_at_the_best_step_stands_beside_its_curve():
    got = points(samples.slot(500, epochs=1))
    assert (got["curve/accuracy"], got["accuracy"]) == (0.1, 0.5)


def test_runs_are_compared_by_the_objective_until_a_person_chooses_another():
    """MLflow's page of a comparison takes the metric that was sent first."""
    assert content(samples.slot(3)).points[0][:2] == ("objective", 0.003)


@pytest.mark.parametrize("record", [samples.pruned(500), samples.failed(500), samples.slot(500, lost=True)])
def test_a_slot_that_did_not_end_has_no_value_that_others_are_sorted_by(record):
    assert {name for name in points(record) if not name.startswith("curve/")} <= {"seconds", "best_step", "steps"}


def test_nan_and_infinity_are_not_sent():
    bad = samples.slot(0, value=math.nan, values={"auc": math.inf, "f1": None}, curve=[[1, {"loss": math.nan}, 5]])
    assert set(points(bad)) == {"seconds"}


def test_numbers_stay_numbers_in_params_and_the_family_is_one_of_them():
    assert content(samples.slot(0)).params == {"family": "mlp", "lr": "0.001", "depth": "2", "optimizer": "adamw"}


def test_a_long_text_is_cut_and_keeps_a_hash_of_the_whole():
    params = content(samples.slot(0, params={"a": "x" * 9000, "b": "x" * 9001, "c": "y" * 6000})).params
    assert [len(params[name]) for name in "abc"] == [6000, 6000, 6000]
    assert params["a"] != params["b"]
    assert params["c"] == "y" * 6000
    assert cut("\ud800" * 300, 100).startswith("\ud800")


def test_the_parent_carries_search_and_task():
    got = search_content(samples.search(), uuid=samples.UUID, search="digits-0", task="digits")
    assert got.tags == {
        "git_commit": "c0ffee",
        "search": "digits-0",
        "task": "digits",
        "automl.trial_key": samples.UUID,
    }
    assert got.params == {"max_epochs": "20", "sampler": "tpe"}


def test_the_end_brings_metrics_and_a_note():
    got = end_content(samples.end(), uuid=samples.UUID, search="digits-0", task="digits")
    assert got.tags["mlflow.note.content"] == "**better than default**"
    assert got.points == (("test", 0.98, samples.START_MS + 90_000, 0),)
    assert (got.status, got.ended_ms) == ("FINISHED", samples.START_MS + 90_000)
