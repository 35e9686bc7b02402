"""C1 to C8 of the fault tables, and A11, A12, A17: trials that fail, each in its own way, and searches in which none is usable."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faultlib import add_family, automl, finals, ledger_rows
from toy import Toy

from automl.cli.main import run
from automl.coordinator.study import FamilyStudy
from automl.errors import NoUsableTrial
from automl.messages import Assignment, Outcome, Report, State
from automl.worker.perform import Channel, Places

TROUBLE = """
import ctypes
import os
import sys
import torch
from torch import nn
from lightning_modules.mlp import Module as Mlp


class Module(Mlp):
    def __init__(self, spec, *, act):
        if act == "cannot-be-built":
            raise ValueError("0 layers")
        super().__init__(spec, depth=1, width=8, dropout=0.0)
        self.act = act

    def losses(self, batch, step):
        if self.act == "segfault":
            ctypes.string_at(0)
        if self.act == "exit":
            sys.exit(0)
        if self.act == "exit-hard":
            os._exit(0)
        if self.act == "memory":
            raise MemoryError
        for loss in super().losses(batch, step):
            yield loss * float("nan") if self.act == "nan" else loss

    def evaluate(self, feed):
        values = super().evaluate(feed)
        if self.act == "unnamed":
            return {"loss": values["loss"]}
        if self.act == "infinite":
            values["accuracy"] = float("inf")
        if self.act == "exploding":
            values["loss"] = 1e30
        return values
"""


ACTS = "none", "nan", "cannot-be-built", "segfault", "exit", "exit-hard", "memory", "infinite", "exploding"


def trouble_space(*acts: str) -> str:
    return (
        f'INPUTS = ("table",)\nDEFAULT = {{"act": "{acts[0]}"}}\n\n\n'
        f'def suggest(trial, spec):\n    return {{"act": trial.suggest_categorical("act", {list(acts)})}}\n'
    )


def trouble(folder: Path, *acts: str) -> tuple[str, ...]:
    """Flags for a search over a family that misbehaves as its only parameter says, each way once."""
    families = add_family(folder / "families", "trouble", trouble_space(*acts), TROUBLE)
    return (
        *("search", "wine", "--families-from", families, "--families", "trouble", "--max-epochs", "2"),
        *("--sampler", "grid", "--pruner", "none", "--no-tracking"),
    )


@pytest.mark.slow
def test_each_way_to_fail_has_its_reason_and_the_search_goes_on(tmp_path: Path) -> None:
    """C1, C2, C3, C17, A11, A12, A17: nine points, each of which goes wrong in its own way, but for two."""
    done = automl(*trouble(tmp_path, *ACTS), "--trials", "9", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    counts = {"planned": 9, "complete": 2, "pruned": 0, "failed": 7, "interrupted": 0, "retried": 6}
    assert json.loads(done.stdout)["slots"] == counts
    folder = tmp_path / ".automl" / "searches" / "wine-0"
    rows = ledger_rows(folder, "SELECT params, state, reason FROM attempt WHERE final AND kind = 'trial'")
    found = {json.loads(params)["act"]: (state, reason) for params, state, reason in rows}
    assert found == {
        "none": ("complete", ""),
        "exploding": ("complete", "loss exploded (1e+30 at epoch 1)"),
        "nan": ("failed", "diverged (NaN at epoch 1)"),
        "infinite": ("failed", "diverged (inf at epoch 1)"),
        "cannot-be-built": ("failed", "ValueError: 0 layers"),
        "memory": ("failed", "out of memory"),
        "segfault": ("lost", "killed by signal 11 (SIGSEGV)"),
        "exit": ("lost", "exited without a result (code 0)"),
        "exit-hard": ("lost", "exited without a result (code 0)"),
    }
    retries = dict(ledger_rows(folder, "SELECT params, count(*) FROM attempt WHERE kind = 'trial' GROUP BY slot"))
    assert {json.loads(params)["act"]: count for params, count in retries.items() if count > 1} == {
        "segfault": 3,
        "exit": 3,
        "exit-hard": 3,
    }
    logs = "".join(path.read_text() for path in (folder / "logs").glob("worker-*.log"))
    assert "Fatal Python error: Segmentation fault" in logs
    assert "ValueError: 0 layers" in "".join(path.read_text() for path in (folder / "logs").glob("trial-*.txt"))


@pytest.mark.slow
def test_a_metric_that_is_not_logged_ends_the_search_after_the_first_trial(
    tmp_path: Path, own_families: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """C4."""
    assert run([*trouble(tmp_path, "unnamed", "none"), "--trials", "5", "--executor", "inline"]) == 4
    said = capsys.readouterr().err
    assert "metric 'accuracy' was not logged; logged: loss" in said
    assert "Traceback" not in said
    assert finals(tmp_path / ".automl" / "searches" / "wine-0") == [0]


@pytest.mark.slow
def test_an_absurd_learning_rate_diverges_without_a_retry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """C1 with a family of ours; and the reasons are counted, C6."""
    flags = ("--families", "mlp", "--set", "mlp.lr=1e38", "--max-epochs", "3", "--trials", "3", "--no-tracking")
    assert run(["search", "wine", *flags, "--executor", "inline"]) == 4
    said = capsys.readouterr().err
    assert "default of mlp clipped to your range: lr: 0.001 -> 1e+38" in said
    assert "no trial completed: 3 x diverged (NaN at epoch 1)" in said
    folder = tmp_path / ".automl" / "searches" / "wine-0"
    assert ledger_rows(folder, "SELECT max(attempt) FROM attempt") == [(0,)]


def ends(state: State, **more: Any) -> Callable[..., tuple[Outcome, ...]]:
    """A worker whose every assignment ends in one way, after one epoch."""

    def perform(assignment: Assignment, channel: Channel, places: Places) -> tuple[Outcome, ...]:
        channel.report(Report(assignment.id, 0, 1, {"objective": 1.0}))
        channel.answer(wait=True)
        return (Outcome(assignment.id, 0, state, **more),)

    return perform


def test_failures_in_a_row_end_the_search_with_their_reasons_counted(toy: Toy) -> None:
    """C6."""
    (toy.search / "logs").mkdir()
    (toy.search / "logs" / "trial-0-0-0.txt").write_text("ValueError: no")
    with pytest.raises(
        NoUsableTrial, match=r"3 slots in a row failed and none completed: 3 x ValueError: no\."
    ) as caught:
        toy.run(perform=ends("failed", reason="ValueError: no"), budget={"trials": 50}, max_failed=3)
    assert caught.value.exit_code == 4
    assert str(toy.search / "logs") in caught.value.hint
    assert finals(toy.search) == [0, 1, 2]


def test_failures_after_a_success_end_the_trials_early_and_the_best_is_kept(toy: Toy) -> None:
    """C6: what was found is not thrown away."""
    (toy.search / "misbehave").write_text("\n".join(f"{slot}:fail" for slot in range(2, 9)))
    toy.run(budget={"trials": 50}, max_failed=4)
    assert finals(toy.search) == [0, 1, 2, 3, 4, 5]
    assert "the search ended early: 4 slots in a row failed: 4 x ValueError: on purpose" in toy.said()


def test_a_success_between_failures_starts_their_count_anew(toy: Toy) -> None:
    """C6: in a row."""
    (toy.search / "misbehave").write_text("\n".join(f"{slot}:fail" for slot in (1, 2, 4, 5)))
    toy.run(budget={"trials": 7}, max_failed=3)
    assert finals(toy.search) == list(range(7))


def test_all_pruned_says_which_screw_to_turn(toy: Toy) -> None:
    """C7."""
    with pytest.raises(NoUsableTrial, match=r"all 3 slots were pruned; loosen the pruner") as caught:
        toy.run(perform=ends("pruned", value=1.0))
    assert caught.value.exit_code == 4


def test_the_default_survives_a_pruner_that_stops_everyone(monkeypatch: pytest.MonkeyPatch, toy: Toy) -> None:
    """C7: so with a working default there is always something to confirm."""
    monkeypatch.setattr(FamilyStudy, "should_prune", lambda self, slot, step, values: True)
    toy.run(pruner="median", budget={"trials": 4})
    states = ledger_rows(toy.search, "SELECT slot, state FROM attempt WHERE kind = 'trial' ORDER BY slot")
    assert states == [(0, "complete"), (1, "pruned"), (2, "pruned"), (3, "pruned")]
