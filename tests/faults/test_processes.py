"""A5, A6, A9, A16 and A19 to A22 of the fault tables: deaths, and too many processes. Deaths of workers alone are in `tests/executors`."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from faultlib import AT_ONCE, LEFT_OUT, Child, Search, Start, finals, ledger_rows, until
from toy import Toy, assert_resumes_to_the_end

from automl.errors import SearchHeld

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("misbehave", ["", "0:hold-gil 1:hold-gil", "0:stop-process"])
def test_nothing_outlives_a_killed_coordinator_by_a_second(start: Start, misbehave: str) -> None:
    """A5: workers, worker server and both carriers, also with workers that hold the GIL or are stopped."""
    search = start(pause=0.3, misbehave=misbehave, tracking=True)
    search.wait_for_trials(2)
    until(lambda: len(search.living()) == 6, 10, lambda: "\n".join(search.commands()))
    search.signal(signal.SIGKILL)
    search.process.wait()
    assert until(lambda: not search.living(), 5, lambda: "\n".join(search.commands())) < AT_ONCE


def test_a_coordinator_that_dies_while_its_server_imports_leaves_nothing(start: Start) -> None:
    """A5 at start: the server is still importing when its parent goes."""
    search = start()
    until(lambda: len(search.living()) > 1, 10)
    search.signal(signal.SIGKILL)
    search.process.wait()
    assert until(lambda: not search.living(), 5) < AT_ONCE


def test_all_processes_killed_together_lose_nothing(start: Start, toy: Toy) -> None:
    """A6, and A21: the lock of a killed holder stops nobody."""
    search = start(pause=0.1)
    search.wait_for_trials(3)
    search.kill_all()
    search.process.wait()
    before = time.monotonic()
    assert_resumes_to_the_end(toy)
    ((_, requeued),) = toy.resumptions()
    assert requeued in (1, 2)  # one, when the other worker had just finished
    assert time.monotonic() - before < 10


def test_a_stale_lock_text_stops_nobody(start: Start, toy: Toy) -> None:
    """A21: the text of the lock file may name a living process; only the kernel's lock counts."""
    toy.run()
    (toy.search / "lock").write_text(json.dumps({"pid": os.getpid(), "host": "here", "since": "now"}))
    assert start().end() == LEFT_OUT


def test_sigterm_to_a_worker_is_a_lost_attempt_and_no_stop(start: Start) -> None:
    """A9."""
    search = start(pause=0.1)
    search.wait_for_trials(2)
    worker = next(pid for pid in _workers(search))
    os.kill(worker, signal.SIGTERM)
    assert search.end() == LEFT_OUT, search.errors
    assert finals(search.search) == list(range(6))
    lost = ledger_rows(search.search, "SELECT reason FROM attempt WHERE state = 'lost'")
    assert lost == [("killed by signal 15 (SIGTERM)",)]


def test_a_slow_but_healthy_trial_is_not_killed(tmp_path: Path) -> None:
    """A16: an epoch of three times the limit, in which each mini-batch says that it lives."""
    popen = {"env": {"STUB_TICKS": "4.5"}}
    search = Search(tmp_path, stall_timeout=1.5, max_epochs=1, budget={"trials": 2}, popen=popen)
    try:
        assert search.end() == LEFT_OUT, search.errors
        assert ledger_rows(search.search, "SELECT DISTINCT state FROM attempt WHERE kind = 'trial'") == [("complete",)]
    finally:
        search.kill_all()


def test_workers_are_forked_from_a_process_with_one_thread(tmp_path: Path) -> None:
    """A19: with all of Lightning imported, and no torch in the coordinator."""
    command = [
        sys.executable,
        "-m",
        "automl",
        "search",
        "wine",
        "--families",
        "mlp",
        "--max-epochs",
        "20",
        "--no-tracking",
    ]
    search = Child(tmp_path, command)
    try:
        until(lambda: len(_workers(search)) >= 1, 30, lambda: search.errors)
        server = _server(search)
        assert _threads(server) == 1
        assert "torch" in Path(f"/proc/{server}/maps").read_text()
        time.sleep(0.5)
        assert "torch" not in Path(f"/proc/{search.process.pid}/maps").read_text()
        search.signal(signal.SIGINT)
        assert search.end(15) == 130
    finally:
        search.kill_all()


def test_a_second_search_of_one_name_is_refused_with_the_holder(start: Start, toy: Toy) -> None:
    """A20."""
    first = start(pause=0.3)
    first.wait_for_trials(1)
    before = (first.search / "executions.log").read_bytes()
    with pytest.raises(SearchHeld, match=f"held by pid {first.process.pid} on host .* since ") as caught:
        toy.run()
    assert caught.value.exit_code == 6
    assert toy.events == []
    assert before in (first.search / "executions.log").read_bytes()
    first.signal(signal.SIGINT)
    assert first.end() == 130


@pytest.mark.parametrize("limit", [12, 16])
def test_too_few_file_descriptors_end_the_search_with_the_limit(start: Start, toy: Toy, limit: int) -> None:
    """A22: `ulimit -n`."""
    search = start(popen={"preexec_fn": _limit_files(limit)}, workers=8, pause=0.1)
    assert search.end(30) == 5, search.errors
    assert "Traceback" not in search.errors
    assert f"too many open files (limit {limit})" in search.errors
    toy.run(budget={"trials": 6})
    assert dict(
        ledger_rows(search.search, "SELECT state, count(*) FROM attempt WHERE kind = 'trial' AND final GROUP BY state")
    ) == {"complete": 6}


def _workers(search: Child) -> list[int]:
    """Pids of workers: children of the worker server."""
    server = _server(search)
    return [pid for pid in search.living() if server and _parent(pid) == server]


def _server(search: Child) -> int:
    for pid in search.living():
        if _parent(pid) == search.process.pid and b"automl.worker.server" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return 0


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def _limit_files(limit: int) -> Callable[[], None]:
    import resource

    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
