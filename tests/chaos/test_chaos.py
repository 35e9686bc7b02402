"""Searches under kill -9, and under an MLflow that fails a third of the calls: every slot is final once and recorded once.

`make chaos` runs the long proofs; CI a small sample of each.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path

import pytest
from fault_proxy import FaultProxy
from history import History, assert_each_slot_once_in_mlflow, assert_exact
from storm import Storm
from test_outbox_faults import free_port, mlflow_server

from automl.cli.main import run


def sync(folder: Path, name: str) -> None:
    """Run `automl searches sync`, within this process, and believe what it says of MLflow."""
    said = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(said):
        code = run(["searches", "sync", name, "--json"])
    report = json.loads(said.getvalue())
    assert code == 0, report
    found = report["mlflow"]
    assert (found["synced"], found["missing"], found["extra"]) == (found["total"], 0, 0)


def survive(folder: Path, *, searches: int, slots_each: int, kills_each: int) -> int:
    """Run searches under a storm and check each; prints what was counted, returns the number of kills."""
    storm = Storm(seed=0, kills_each=kills_each, folder=folder)
    executions = 0
    for number in range(searches):
        name, seed = f"storm-{number}", str(number)
        storm.search("real", "wine", "--name", name, "--trials", str(slots_each), "--seed", seed)
        history = History.read(folder / ".automl", name)
        assert_exact(history, slots_each)
        sync(folder, name)
        assert_each_slot_once_in_mlflow(f"sqlite:///{folder}/mlflow.db", history)
        executions += history.trial_executions()
    slots = searches * slots_each
    redone = (executions - slots) / slots
    print(
        f"{slots} slots in {searches} searches, kills {dict(storm.kills)}, {storm.starts} starts, "
        f"{executions} executions of trials, {redone:.0%} redone"
    )
    return storm.kills.total()


@pytest.mark.slow
def test_every_slot_is_final_once_through_a_few_kills(tmp_path: Path) -> None:
    assert survive(tmp_path, searches=1, slots_each=4, kills_each=2) >= 1  # the other may find the search over


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_every_slot_is_final_once_through_a_hundred_kills(tmp_path: Path) -> None:
    assert survive(tmp_path, searches=5, slots_each=30, kills_each=22) >= 100


def record_through_faults(folder: Path, slots: int) -> None:
    """Search with made-up trials behind the proxy, sync, compare with the server itself."""
    with mlflow_server(folder, port := free_port()) as uri, FaultProxy(port, share=1 / 3, seed=0) as proxy:
        os.environ["MLFLOW_TRACKING_URI"] = proxy.uri
        try:
            calm = Storm(seed=0, kills_each=0, folder=folder, pause=0.005)
            calm.search("made-up", "wine", "--name", "proxied", "--trials", str(slots), "--epochs", "3")
            sync(folder, "proxied")
        finally:
            del os.environ["MLFLOW_TRACKING_URI"]
        history = History.read(folder / ".automl", "proxied")
        assert_exact(history, slots)
        assert_each_slot_once_in_mlflow(uri, history)
        print(f"{slots} slots, calls {dict(proxy.count)}")
        assert min(proxy.count[fate] for fate in ("before", "after", "cut")) >= slots / 10


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_two_hundred_slots_are_recorded_once_through_failing_calls(tmp_path: Path) -> None:
    record_through_faults(tmp_path, slots=200)
