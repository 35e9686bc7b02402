"""perform(): an assignment becomes outcomes, whatever the family's code does."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file as load_torch
from scripted import ScriptedChannel

from automl import catalog
from automl.data import load_part, load_schema
from automl.messages import Assignment, Outcome, Report, to_json
from automl.tasks.metrics import measure
from automl.worker.perform import Places, perform

Assign = Callable[..., Assignment]
AddFamily = Callable[[str], str]


def outcome_of(assignment: Assignment, places: Places, channel: ScriptedChannel | None = None) -> Outcome:
    (outcome,) = perform(assignment, channel or ScriptedChannel(), places)
    to_json(outcome)  # refuses NaN and inf
    return outcome


def test_a_trial_returns_its_best_epoch(assign: Assign, places: Places) -> None:
    channel = ScriptedChannel()
    outcome = outcome_of(assign(epochs=8), places, channel)

    steps = [step for step, _ in outcome.curve]
    objectives = [values["objective"] for _, values in outcome.curve]
    assert (outcome.state, outcome.reason, outcome.steps, steps) == ("complete", "", 8, list(range(1, 9)))
    assert outcome.value == max(objectives) == dict(outcome.curve)[outcome.best_step]["objective"]
    assert {"objective", "accuracy", "log_loss", "f1_macro", "roc_auc", "loss"} <= set(outcome.values)
    assert not {"f1", "average_precision"} & set(outcome.values)  # three classes do not admit them
    assert outcome.cost["seconds"] > 0
    assert outcome.cost["peak_memory_mb"] > 0
    assert [(report.step, report.values) for report in channel.reports] == list(outcome.curve)


def test_ties_are_broken_by_validation_loss(assign: Assign, places: Places) -> None:
    outcome = outcome_of(assign(epochs=12), places)
    tied = [(values["loss"], step) for step, values in outcome.curve if values["objective"] == outcome.value]
    assert len(tied) > 1
    assert outcome.best_step == min(tied)[1]


def test_artifacts_are_the_best_epoch_with_their_hashes(assign: Assign, places: Places) -> None:
    assignment = assign(epochs=4)
    outcome = outcome_of(assignment, places)

    for artifact in outcome.artifacts.values():
        content = (places.search / artifact.path).read_bytes()
        assert (artifact.sha256, artifact.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert outcome.artifacts["weights"].path == "artifacts/trial-0-0-0.safetensors"
    predictions = np.load(places.search / "artifacts/trial-0-0-0.predictions.npy")
    target = load_part(places.data, assignment.data, "validation").target
    assert measure("accuracy", target, predictions) == outcome.value


def test_the_kept_weights_give_the_kept_predictions(assign: Assign, places: Places) -> None:
    assignment = assign(epochs=12)
    outcome = outcome_of(assignment, places)
    assert outcome.best_step < outcome.steps  # weights of the last epoch would be others

    module = catalog.module("mlp", assignment.spec, assignment.members[0].params).eval()
    module.load_state_dict(load_torch(places.search / outcome.artifacts["weights"].path))
    inputs = torch.tensor(load_part(places.data, assignment.data, "validation").inputs)
    outputs = module(inputs).detach().numpy()
    kept = np.load(places.search / outcome.artifacts["predictions"].path)
    np.testing.assert_array_equal(load_schema(places.data, assignment.data).decode(outputs), kept)


@pytest.mark.parametrize(("bar", "kept"), [(None, True), (0.0, True), (1.0, False)])
def test_artifacts_are_written_only_for_a_better_value(
    assign: Assign, places: Places, bar: float | None, kept: bool
) -> None:
    outcome = outcome_of(assign(keep_better_than=bar), places)
    assert bool(outcome.artifacts) is kept
    assert (places.search / "artifacts").exists() is kept


def test_regression_is_measured_in_the_targets_own_units(assign: Assign, places: Places) -> None:
    outcome = outcome_of(assign("diabetes", epochs=10), places)
    assert outcome.state == "complete"
    assert 40 < outcome.values["rmse"] < 90  # the target's standard deviation is 77
    assert outcome.values["r2"] > 0


@pytest.mark.parametrize("delay", [0, 3, 10**9])
def test_a_pruned_trial_ends_at_the_same_step_whatever_the_timing(assign: Assign, places: Places, delay: int) -> None:
    channel = ScriptedChannel({3: "stop"}, delay=delay)
    outcome = outcome_of(assign(epochs=9), places, channel)
    assert (outcome.state, outcome.steps, len(channel.reports)) == ("pruned", 3, 3)
    assert outcome.value == outcome.curve[-1][1]["objective"]
    assert not outcome.artifacts


def test_an_immediate_stop_ends_the_epoch_at_its_first_mini_batch(assign: Assign, places: Places) -> None:
    stopped, whole = ScriptedChannel({1: "stop"}), ScriptedChannel()
    outcome_of(assign(epochs=2), places, stopped)
    outcome_of(assign(epochs=2), places, whole)
    assert stopped.ticks == whole.ticks // 2 + 1


def test_an_interrupted_trial_has_no_value(assign: Assign, places: Places) -> None:
    outcome = outcome_of(assign(epochs=5), places, ScriptedChannel({2: "interrupt"}))
    assert (outcome.state, outcome.value, outcome.values, outcome.steps) == ("interrupted", None, {}, 2)


def test_a_trial_that_is_told_to_finish_ends_with_what_it_has(assign: Assign, places: Places) -> None:
    channel = ScriptedChannel({2: "finish"})
    outcome = outcome_of(assign(epochs=100_000), places, channel)
    assert (outcome.state, outcome.steps) == ("complete", 3)  # the third was cut short, and validated
    assert outcome.value is not None
    assert set(outcome.artifacts) == {"weights", "predictions"}


def test_patience_ends_a_trial_that_no_longer_improves(assign: Assign, places: Places) -> None:
    outcome = outcome_of(assign(epochs=200, patience=3), places)
    assert outcome.state == "complete"
    assert outcome.steps == outcome.best_step + 3 < 200


def test_a_deadline_ends_a_trial_with_what_it_has(assign: Assign, places: Places) -> None:
    outcome = outcome_of(assign(epochs=100_000, deadline=0.05), places)
    assert outcome.state == "complete"
    assert outcome.value is not None
    assert outcome.cost["seconds"] < 5


def test_a_deadline_cuts_an_epoch_short_and_validates_it(assign: Assign, places: Places) -> None:
    channel = ScriptedChannel()
    outcome = outcome_of(assign(epochs=9, deadline=0.0), places, channel)
    assert (outcome.state, outcome.steps, channel.ticks) == ("complete", 1, 1)
    assert outcome.value is not None


def test_a_diverging_trial_fails_within_one_epoch(assign: Assign, places: Places, add_family: AddFamily) -> None:
    family = add_family(
        """
def losses(self, batch, step):
    for loss in super().losses(batch, step):
        yield loss * (float("nan") if self.current_epoch == 2 else 1.0)
"""
    )
    outcome = outcome_of(assign(family=family, params={}, epochs=9), places)
    assert (outcome.state, outcome.reason, outcome.steps) == ("failed", "diverged (NaN at epoch 3)", 2)
    assert outcome.value is None
    assert not outcome.recycle


def test_an_absurd_learning_rate_diverges(assign: Assign, places: Places) -> None:
    params = {"depth": 1, "width": 16, "dropout": 0.0, "optimizer": "sgd", "lr": 1e38, "clip": 0.0}
    outcome = outcome_of(assign("diabetes", params=params), places)
    assert outcome.state == "failed"
    assert outcome.reason.startswith("diverged (")


def test_an_exception_is_a_failed_outcome_with_its_traceback_in_a_file(
    assign: Assign, places: Places, add_family: AddFamily
) -> None:
    family = add_family("def forward(self, x):\n    raise TypeError('bad\\nfamily')")
    outcome = outcome_of(assign(family=family, params={}), places)
    assert (outcome.state, outcome.reason, outcome.recycle) == ("failed", "TypeError: bad family", False)
    assert "in forward" in (places.search / "logs/trial-0-0-0.txt").read_text()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 1 GiB')", "CUDA out of memory"),
        ("RuntimeError('CUDA error: out of memory')", "CUDA out of memory"),
        ("MemoryError()", "out of memory"),
        ("RuntimeError('[enforce fail] DefaultCPUAllocator: can\\'t allocate memory')", "out of memory"),
    ],
)
def test_out_of_memory_is_infeasible_and_recycles_the_worker(
    assign: Assign, places: Places, add_family: AddFamily, error: str, reason: str
) -> None:
    family = add_family(f"def forward(self, x):\n    raise {error}")
    outcome = outcome_of(assign(family=family, params={}), places)
    assert (outcome.state, outcome.reason, outcome.constraints, outcome.recycle) == (
        "failed",
        reason,
        {"memory": 1.0},
        True,
    )


def test_a_metric_that_is_never_logged_is_fatal(assign: Assign, places: Places, add_family: AddFamily) -> None:
    family = add_family("def evaluate(self, feed):\n    return {'loss': 1.0}")
    outcome = outcome_of(assign(family=family, params={}), places)
    assert (outcome.state, outcome.fatal) == ("failed", True)
    assert outcome.reason == "metric 'accuracy' was not logged; logged: loss"


def test_values_that_a_family_adds_are_recorded(assign: Assign, places: Places, add_family: AddFamily) -> None:
    family = add_family("def evaluate(self, feed):\n    return {**super().evaluate(feed), 'margin': 0.5}")
    outcome = outcome_of(assign(family=family, params={}), places)
    assert outcome.values["margin"] == outcome.curve[0][1]["margin"] == 0.5


def test_leaving_python_passes_through(assign: Assign, places: Places, add_family: AddFamily) -> None:
    family = add_family("def forward(self, x):\n    raise SystemExit(3)")
    with pytest.raises(SystemExit):
        perform(assign(family=family, params={}), ScriptedChannel(), places)


def test_a_refit_trains_all_epochs_on_all_rows_and_validates_nothing(assign: Assign, places: Places) -> None:
    channel = ScriptedChannel()
    assignment = assign(epochs=5, kind="refit", id="refit-0-0-0", patience=1, keep_better_than=2.0)
    outcome = outcome_of(assignment, places, channel)

    rows = sum(len(load_part(places.data, assignment.data, part).target) for part in assignment.data.parts)
    batch = assignment.spec.rows // 8
    assert (outcome.state, outcome.steps, outcome.value, outcome.curve) == ("complete", 5, None, ())
    assert channel.ticks == 5 * -(-rows // batch)
    assert channel.reports == []
    assert set(outcome.artifacts) == {"weights"}


def test_a_refit_ends_at_its_deadline_with_what_it_has(assign: Assign, places: Places) -> None:
    outcome = outcome_of(assign(epochs=100_000, kind="refit", id="refit-0-0-0", deadline=0.05), places)
    assert outcome.state == "complete"
    assert (places.search / outcome.artifacts["weights"].path).exists()
    assert outcome.cost["seconds"] < 5


def test_a_diverging_refit_fails(assign: Assign, places: Places) -> None:
    params = {"depth": 1, "width": 16, "dropout": 0.0, "optimizer": "sgd", "lr": 1e38, "clip": 0.0}
    outcome = outcome_of(assign("diabetes", params=params, kind="refit"), places)
    assert (outcome.state, outcome.artifacts) == ("failed", {})
    assert outcome.reason.startswith("diverged (")


def test_an_interrupted_refit_leaves_no_weights(assign: Assign, places: Places) -> None:
    channel = ScriptedChannel({1: "interrupt"})
    channel.report(Report("refit-0-0-0", 0, 1, {}))  # an interrupt comes unasked
    outcome = outcome_of(assign(kind="refit", id="refit-0-0-0"), places, channel)
    assert (outcome.state, outcome.artifacts) == ("interrupted", {})


def test_one_failing_member_leaves_the_others(assign: Assign, places: Places) -> None:
    assignment = assign()
    broken = dataclasses.replace(assignment.members[0], params={"depth": "two"}, slot=1)
    outcomes = perform(
        dataclasses.replace(assignment, members=(broken, *assignment.members)), ScriptedChannel(), places
    )
    assert [(outcome.member, outcome.state) for outcome in outcomes] == [(0, "failed"), (1, "complete")]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "adagrad"])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle"])
def test_each_optimizer_and_schedule_learns(assign: Assign, places: Places, optimizer: str, schedule: str) -> None:
    params = {"depth": 1, "width": 32, "dropout": 0.0, "lr": 0.02, "optimizer": optimizer, "schedule": schedule}
    assert outcome_of(assign(params=params, epochs=8), places).value > 0.85


def test_the_same_member_gives_the_same_curve_twice(assign: Assign, places: Places) -> None:
    params = {"width": 8, "blocks": 1, "shift": 0.1, "rotation": 10.0, "dropout": 0.1}
    assignment = assign("digits", family="cnn", params=params, epochs=2)
    assert outcome_of(assignment, places).curve == outcome_of(assignment, places).curve


@pytest.mark.slow
def test_the_same_member_gives_the_same_curve_in_another_process(assign: Assign, places: Places) -> None:
    assignment = assign(epochs=3)
    script = (
        "import json, sys, torch\nfrom pathlib import Path\nfrom scripted import ScriptedChannel\n"
        "torch.set_num_threads(1)\n"  # equal to the bit means equal threads: sums are split among them
        "from automl.messages import assignment_from\nfrom automl.worker.perform import Places, perform\n"
        "assignment = assignment_from(json.loads(sys.argv[1]))\n"
        "(outcome,) = perform(assignment, ScriptedChannel(), Places(Path(sys.argv[2]), Path(sys.argv[3])))\n"
        "print(json.dumps(outcome.curve))\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script, to_json(assignment), str(places.data), str(places.search)],
        env={**os.environ, "PYTHONPATH": f"{Path(__file__).parent}:{root}"},
        capture_output=True,
        text=True,
        check=True,
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    here = outcome_of(assignment, places).curve
    torch.set_num_threads(threads)
    assert json.loads(done.stdout) == json.loads(json.dumps(here))


def test_seeding_leaves_the_environment_alone(assign: Assign, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PL_GLOBAL_SEED", raising=False)
    before = dict(os.environ)
    outcome_of(assign(), places)
    assert dict(os.environ) == before


@pytest.mark.slow
def test_importing_perform_does_not_import_torch() -> None:
    script = "import sys, automl.worker.perform; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], check=False).returncode == 0
