"""The local executor with real processes and a torch-free worker: deaths, hangs and recycling."""

from __future__ import annotations

import select
from pathlib import Path

import pytest
import stubs

from automl.coordinator.loop import Coordinator
from automl.errors import StorageError
from automl.executors.base import Lost
from automl.executors.devices import Seat
from automl.executors.local import LocalExecutor
from automl.ledger import Attempt
from automl.worker.perform import Places


def run(folder: Path, misbehave: str = "", slots: int = 4, workers: int = 2, **settings: object) -> list[Attempt]:
    ledger, search = stubs.new_search(folder)
    (search.root / "misbehave").write_text(misbehave)
    executor = LocalExecutor(
        (Seat("cpu", 1),) * workers,
        Places(folder, search.root),
        perform="stub_worker:perform",
        preload=(),
        **{"kill_after": 0.2, **settings},  # type: ignore[arg-type]
    )
    executor.start()
    try:
        Coordinator(ledger, executor, search.results).carry_out(stubs.decision(slots), "trial")
    finally:
        executor.stop()
    stubs.assert_each_slot_final_once(ledger, slots)
    return ledger.attempts()


def test_all_slots_complete(tmp_path: Path) -> None:
    assert {attempt.state for attempt in run(tmp_path)} == {"complete"}


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("kill", "killed by signal 9 (SIGKILL), likely out of memory"),
        ("segfault", "killed by signal 11 (SIGSEGV)"),
        ("exit", "exited without a result (code 0)"),
        ("exit-hard", "exited without a result (code 0)"),
    ],
)
def test_a_dead_worker_costs_an_attempt_and_the_retry_has_the_same_parameters(
    tmp_path: Path, act: str, reason: str
) -> None:
    attempts = [attempt for attempt in run(tmp_path, f"1:{act}") if attempt.slot == 1]
    assert [(a.state, a.reason) for a in attempts] == [("lost", reason), ("complete", "")]
    assert attempts[0].params == attempts[1].params
    assert attempts[0].seed == attempts[1].seed


def test_a_slot_whose_workers_always_die_is_final_after_three(tmp_path: Path) -> None:
    attempts = [attempt for attempt in run(tmp_path, "1*:kill") if attempt.slot == 1]
    assert [(a.state, a.final) for a in attempts] == [("lost", False), ("lost", False), ("lost", True)]


def test_a_result_written_before_death_is_adopted(tmp_path: Path) -> None:
    attempts = [attempt for attempt in run(tmp_path, "1:die-after-result") if attempt.slot == 1]
    assert [a.state for a in attempts] == ["complete"]
    executions = (tmp_path / "search" / "executions.log").read_text().count("trial-1-")
    assert executions == 1


@pytest.mark.parametrize("act", ["hang", "hold-gil", "stop-process"])
def test_a_worker_without_progress_is_killed(tmp_path: Path, act: str) -> None:
    attempts = [a for a in run(tmp_path, f"1:{act}", stall_timeout=0.3) if a.slot == 1]
    assert [(a.state, a.reason) for a in attempts] == [("lost", "no progress for 0.3 s"), ("complete", "")]


def test_an_out_of_memory_is_not_retried_and_its_worker_is_replaced(tmp_path: Path) -> None:
    attempts = run(tmp_path, "1:memory", workers=1)
    assert [(a.slot, a.state) for a in attempts] == [(0, "complete"), (1, "failed"), (2, "complete"), (3, "complete")]
    assert (tmp_path / "search" / "logs" / "worker-2.log").exists()


def test_workers_are_recycled_after_some_trials(tmp_path: Path) -> None:
    run(tmp_path, workers=1, recycle_after=2)
    assert (tmp_path / "search" / "logs" / "worker-2.log").exists()


def test_workers_that_die_before_they_do_anything_end_the_search(tmp_path: Path) -> None:
    broken = tmp_path / "broken_perform.py"
    broken.write_text("import os, sys\nos.register_at_fork(after_in_child=lambda: os._exit(3))\ndef perform(*_): ...\n")
    executor = LocalExecutor((Seat("cpu", 1),), _places(tmp_path), perform="broken_perform:perform", preload=())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        executor.start()
    try:
        with pytest.raises(StorageError, match=r"workers die before they do anything: exited .* \(code 3\)"):
            _wait_for_ever(executor)
    finally:
        executor.stop()


def test_a_dead_server_is_replaced_and_its_work_lost(tmp_path: Path) -> None:
    places = _places(tmp_path)
    (places.search / "misbehave").write_text("0:hang")
    executor = LocalExecutor((Seat("cpu", 1),), places, perform="stub_worker:perform", preload=())
    executor.start()
    try:
        while not executor.idle():
            executor.wait(0.1)
        decision = stubs.decision(1)
        attempt = decision.next()
        assert attempt is not None
        executor.submit(decision.assignment(attempt))
        assert executor._server is not None
        executor._server.process.kill()
        events: list[object] = []
        while not events:
            events += executor.wait(0.1)
        assert events == [Lost(attempt.key, "the worker server died")]
        while not executor.idle():
            executor.wait(0.1)
    finally:
        executor.stop()


def test_a_server_that_dies_before_it_is_asked_to_fork_is_replaced(tmp_path: Path) -> None:
    seat = Seat("cpu", 1)
    executor = LocalExecutor((seat,), _places(tmp_path), perform="stub_worker:perform", preload=())
    executor.start()
    try:
        while not executor.idle():
            executor.wait(0.1)
        server = executor._server
        assert server is not None
        server.process.kill()
        server.process.wait()
        hung_up = select.poll()  # a worker that was just forked holds the server's end a moment longer
        hung_up.register(server, select.POLLHUP)
        assert hung_up.poll(10_000)
        executor._fork(seat)  # as when a worker is recycled before anyone has heard of the death
        assert len(executor._workers) == 1
        while executor._server is server or not executor.idle():
            executor.wait(0.1)
    finally:
        executor.stop()


def test_a_server_that_dies_again_and_again_ends_the_search_with_a_word(tmp_path: Path) -> None:
    executor = LocalExecutor((Seat("cpu", 1),), _places(tmp_path), perform="stub_worker:perform", preload=())
    executor._deaths = 10
    executor.start()
    try:
        while not executor.idle():
            executor.wait(0.1)
        assert executor._server is not None
        executor._server.process.kill()
        with pytest.raises(StorageError, match="workers die before they do anything: the worker server died"):
            _wait_for_ever(executor)
    finally:
        executor.stop()  # it once looked for the closed socket and raised ValueError


def _wait_for_ever(executor: LocalExecutor) -> None:
    while True:
        executor.wait(0.1)


def _places(folder: Path) -> Places:
    ledger, search = stubs.new_search(folder)
    ledger.close()
    return Places(folder, search.root)
