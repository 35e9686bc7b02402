"""Kill -9 at every commit, restart, and every slot is final exactly once.

The search runs in a forked child with a torch-free worker; the kill is the child's own, before or after the commit reaches
the disk. The sabotage tests prove that the sweep can see: with the guarding line taken out it turns red.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
import stub_worker
import stubs

from automl.coordinator.loop import Coordinator
from automl.coordinator.plan import Plan
from automl.coordinator.reconcile import reconcile
from automl.executors.inline import InlineExecutor
from automl.ledger import Ledger, SearchFolder
from automl.winner.confirm import WinnerWork
from automl.worker.perform import Places

SLOTS = 3
SCENARIOS = ("before", "after")


class KillingConnection(sqlite3.Connection):
    """Counts commits and dies at the chosen one."""

    count = 0
    kill_at = 0
    when = "before"

    def commit(self) -> None:
        """Commit, unless this is the one."""
        KillingConnection.count += 1
        chosen = KillingConnection.count == KillingConnection.kill_at
        if chosen and KillingConnection.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super().commit()
        if chosen:
            os.kill(os.getpid(), signal.SIGKILL)


def search(folder: Path) -> None:
    """Three slots with one failing, then confirmations: every kind of commit that a search makes."""
    place = SearchFolder(folder / "search")
    place.create()
    (place.root / "misbehave").write_text("1:fail")
    ledger = Ledger.open(place.ledger, connect_args={"factory": KillingConnection})
    if ledger.header() is None:
        ledger.begin(stubs.header())
    reconcile(ledger, place.results)
    executor = InlineExecutor(Places(folder, place.root), stub_worker.perform)
    coordinator = Coordinator(ledger, executor, place.results)
    coordinator.carry_out(stubs.decision(SLOTS), "trial")
    work = WinnerWork(stubs.SPEC, stubs.DATA, "loss", "minimize", seed=0, seeds=2)
    best, *_ = work.rivals(ledger.attempts(kind="trial", final=True))
    coordinator.carry_out(Plan(work.confirmations([best], range(2)), work.describe), "confirm")
    ledger.finish({"verdict": "done"})
    for view in ("mlflow", "optuna"):
        ledger.mark_sent([row[0] for row in ledger.unsent(view)])


def in_child(action: Callable[[], None], limit: int = 60) -> int:
    """Run in a forked child; returns its wait status. A child that hangs is ended by its alarm."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(limit)
        try:
            action()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def crash_and_recover(folder: Path, commit: int, when: str) -> bool:
    """Kill at one commit, restart, check; returns False once there is no such commit."""

    def crash() -> None:
        KillingConnection.count, KillingConnection.kill_at, KillingConnection.when = 0, commit, when
        search(folder)

    status = in_child(crash)
    if status == 0:
        return False
    assert status == -signal.SIGKILL
    assert in_child(lambda: search(folder)) == 0, f"no recovery from a kill {when} commit {commit}"
    ledger = Ledger.open(folder / "search" / "ledger.db")
    stubs.assert_each_slot_final_once(ledger, SLOTS)
    assert len(ledger.attempts(kind="confirm", final=True)) == 2
    assert ledger.count_unsent("mlflow") == 0
    header = ledger.header()
    assert header is not None
    assert header.result == {"verdict": "done"}
    ledger.close()
    return True


def sweep(folder: Path, when: str, step: int) -> int:
    """Crash at every `step`-th commit; returns the number of crashes."""
    for crashes, commit in enumerate(range(1, 1000, step)):
        if not crash_and_recover(folder / f"{when}-{commit}", commit, when):
            return crashes
    raise AssertionError("the search never ended")


@pytest.mark.slow
@pytest.mark.parametrize("when", SCENARIOS)
def test_a_kill_at_every_commit_loses_nothing(tmp_path: Path, when: str) -> None:
    crashes = sweep(tmp_path, when, step=1)
    print(f"crashed and recovered {when} each of {crashes} commits")
    assert crashes >= 20


@pytest.mark.slow
def test_sabotage_the_sweep_turns_red_without_retries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the line that takes up unfinished slots, a slot stays open for ever."""
    from automl.coordinator.trials import TrialDecision

    recall = TrialDecision.recall
    monkeypatch.setattr(TrialDecision, "recall", lambda self, attempts: recall(self, attempts)[:0])
    with pytest.raises(AssertionError):
        sweep(tmp_path, "after", step=3)


@pytest.mark.slow
def test_sabotage_the_sweep_turns_red_without_reconciliation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without closing what a dead coordinator left open, the next attempt at that slot is refused by the database."""
    monkeypatch.setitem(globals(), "reconcile", lambda ledger, results: 0)
    with pytest.raises(AssertionError):
        sweep(tmp_path, "after", step=3)


@pytest.mark.slow
def test_sabotage_the_sweep_turns_red_when_outcomes_are_not_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If an outcome were learned from without being committed, no slot would ever be final."""
    monkeypatch.setattr(Ledger, "close_attempt", lambda self, attempt, outcome, **_: attempt)
    with pytest.raises(AssertionError):
        sweep(tmp_path, "before", step=3)
