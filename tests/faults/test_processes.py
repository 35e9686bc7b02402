"""Group A of the fault tables: processes and signals. Deaths of workers alone are in `tests/executors`."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faultlib import LEFT_OUT, Child, Search, finals, ledger_rows, until

pytestmark = pytest.mark.slow
AT_ONCE = 3.0
"""Seconds. One is promised; two tests side by side on a slow machine take a little longer. What waits for a worker takes ten."""

Start = Callable[..., Search]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start toy searches; whatever is left of them ends with the test."""
    begun: list[Search] = []

    def begin(**choices: object) -> Search:
        begun.append(Search(tmp_path, **choices))  # type: ignore[arg-type]
        return begun[-1]

    yield begin
    for search in begun:
        search.kill_all()


def assert_resumes_to_the_end(start: Start, slots: int = 6) -> Search:
    """The same command again: every slot is final once and nothing is open."""
    again = start()
    assert again.end() == LEFT_OUT, again.errors
    assert "resumed: " in again.errors
    assert finals(again.search) == list(range(slots))
    assert ledger_rows(again.search, "SELECT count(*) FROM attempt WHERE state = 'open'") == [(0,)]
    return again


# -- A5, A6: deaths of the coordinator


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


def test_all_processes_killed_together_lose_nothing(start: Start) -> None:
    """A6, and A21: the lock of a killed holder stops nobody."""
    search = start(pause=0.1)
    search.wait_for_trials(3)
    search.kill_all()
    search.process.wait()
    before = time.monotonic()
    again = assert_resumes_to_the_end(start)
    assert re.search("[12] requeued", again.errors)  # one, when the other worker had just finished
    assert time.monotonic() - before < 10


def test_a_stale_lock_text_stops_nobody(start: Start) -> None:
    """A21: the text of the lock file may name a living process; only the kernel's lock counts."""
    search = start(misbehave="1:fail")
    assert search.end() == LEFT_OUT
    (search.search / "lock").write_text(json.dumps({"pid": os.getpid(), "host": "here", "since": "now"}))
    assert start().end() == LEFT_OUT


# -- A7 to A10: signals and terminals


def test_ctrl_c_once_ends_tidily_and_resumes(start: Start) -> None:
    """A7."""
    search = start(pause=0.2)
    search.wait_for_trials(4)
    began = time.monotonic()
    search.signal(signal.SIGINT)
    assert search.end(15) == 130
    assert time.monotonic() - began < 10
    assert "stopping " in search.errors
    assert "; again to stop now" in search.errors
    assert "Traceback" not in search.errors
    states = dict(ledger_rows(search.search, "SELECT state, count(*) FROM attempt GROUP BY state"))
    assert states == {"complete": 2, "interrupted": 2}
    assert not search.living()
    assert_resumes_to_the_end(start)


def test_ctrl_c_in_a_terminal_does_not_reach_the_workers(start: Start, tmp_path: Path) -> None:
    """A7 on a pty: the kernel sends SIGINT to the whole foreground group; the workers have a session of their own."""
    master, slave = pty.openpty()
    search = start(pause=0.2, popen={"stderr": slave, "stdout": slave, "preexec_fn": _control_terminal(slave)})
    os.close(slave)
    search.wait_for_trials(4)
    os.write(master, b"\x03")
    screen = _read_all(master)
    assert search.end(15) == 130
    assert b"; again to stop now" in screen
    assert b"Traceback" not in screen
    assert dict(ledger_rows(search.search, "SELECT state, count(*) FROM attempt GROUP BY state"))["interrupted"] == 2
    assert not list((search.search / "logs").glob("*lost*"))
    assert_resumes_to_the_end(start)


def test_ctrl_c_ends_within_ten_seconds_though_a_worker_hangs(start: Start) -> None:
    """A7: a worker that never answers is killed; its slot is interrupted, not charged."""
    search = start(misbehave="1:hang")
    search.wait_for_trials(2)
    time.sleep(0.3)
    search.signal(signal.SIGINT)
    assert search.end(12) == 130
    assert ledger_rows(search.search, "SELECT state FROM attempt WHERE slot = 1") == [("interrupted",)]
    assert_resumes_to_the_end(start)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once(start: Start, number: int) -> None:
    """A8."""
    search = start(misbehave="0:hang 1:hang", tracking=True)
    search.wait_for_trials(2)
    search.signal(number)
    time.sleep(0.3)
    began = time.monotonic()
    search.signal(number)
    assert search.end(10) == 128 + number
    assert time.monotonic() - began < AT_ONCE
    assert "Traceback" not in search.errors
    until(lambda: not search.living(), AT_ONCE)
    assert_resumes_to_the_end(start)


@pytest.mark.parametrize("delay", [0.0, 0.2, 0.5])
def test_ctrl_c_during_start_ends_at_once(start: Start, delay: float) -> None:
    """A8: from the first line that it writes."""
    search = start(pause=0.2)
    until(lambda: "starting" in search.errors, 20)
    time.sleep(delay)
    began = time.monotonic()
    search.signal(signal.SIGINT)
    assert search.end(10) == 130
    assert time.monotonic() - began < AT_ONCE
    assert "Traceback" not in search.errors
    assert not search.living()
    assert start().end() == LEFT_OUT


def test_ctrl_c_during_refit_and_export_leaves_a_whole_bundle_or_none(start: Start, tmp_path: Path) -> None:
    """A8: two signals 0.3 s apart at several moments of the end of one search; what follows goes on from there."""
    exports = tmp_path / "exports" / "toy"
    for delay in (0.2, 3.0):
        search = start(real_end=True, budget={"trials": 2})
        until(lambda search=search: "refitting" in search.errors, 30)  # type: ignore[misc]
        time.sleep(delay)
        search.signal(signal.SIGINT)
        time.sleep(0.3)
        if search.process.poll() is None:
            search.signal(signal.SIGINT)
        assert search.end(5) == 130
        assert "Traceback" not in search.errors
        latest = exports / "LATEST"
        assert not latest.exists() or (exports / latest.read_text().strip() / "manifest.json").exists()
        until(lambda search=search: not search.living(), AT_ONCE)  # type: ignore[misc]
    last = start(real_end=True, budget={"trials": 2})
    assert last.end() == 0, last.errors
    document = json.loads(last.output())
    assert (tmp_path / document["bundle"] / "manifest.json").exists()
    assert finals(last.search) == [0, 1]


def test_sigterm_ends_tidily_with_143(start: Start) -> None:
    """A9."""
    search = start(pause=0.2)
    search.wait_for_trials(4)
    search.signal(signal.SIGTERM)
    assert search.end(15) == 143
    assert dict(ledger_rows(search.search, "SELECT state, count(*) FROM attempt GROUP BY state"))["interrupted"] == 2
    assert_resumes_to_the_end(start)


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


def test_a_hangup_does_not_end_a_search(start: Start) -> None:
    """A10."""
    search = start(pause=0.1)
    search.wait_for_trials(2)
    search.signal(signal.SIGHUP)
    assert search.end() == LEFT_OUT, search.errors
    assert finals(search.search) == list(range(6))


def test_a_closed_terminal_does_not_end_a_search(start: Start) -> None:
    """A10: the kernel hangs up and every write fails from then on."""
    master, slave = pty.openpty()
    popen = {"stderr": slave, "stdout": slave, "preexec_fn": _control_terminal(slave)}
    search = start(pause=0.1, popen=popen)
    os.close(slave)
    search.wait_for_trials(2)
    os.close(master)
    assert search.end() == LEFT_OUT
    assert finals(search.search) == list(range(6))


@pytest.mark.parametrize("streams", [("stderr",), ("stdout", "stderr")])
def test_a_reader_that_goes_away_does_not_end_a_search(start: Start, streams: tuple[str, ...]) -> None:
    """A10: `automl search ... 2>&1 | head -1`."""
    read, write = os.pipe()
    search = start(pause=0.1, popen=dict.fromkeys(streams, write))
    os.close(write)
    assert os.read(read, 10)
    os.close(read)
    assert search.end() == LEFT_OUT
    assert finals(search.search) == list(range(6))


@pytest.mark.parametrize("reader", ["pipe", "terminal"])
def test_the_command_line_ends_with_141_when_nobody_reads_its_result(tmp_path: Path, reader: str) -> None:
    """A10: no traceback, and nothing said by the interpreter's last flush."""
    read, write = os.pipe() if reader == "pipe" else pty.openpty()
    os.close(read)
    command = [sys.executable, "-m", "automl", "tasks", "list"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, timeout=30, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


# -- A16, A19, A20, A22


def test_a_slow_but_healthy_trial_is_not_killed(tmp_path: Path) -> None:
    """A16: an epoch of three times the limit, in which each mini-batch says that it lives."""
    popen = {"env": {"STUB_TICKS": "4.5"}}
    search = Search(tmp_path, stall_timeout=1.5, max_epochs=1, confirm_seeds=1, budget={"trials": 2}, popen=popen)
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


def test_a_second_search_of_one_name_is_refused_with_the_holder(start: Start) -> None:
    """A20."""
    first = start(pause=0.3)
    first.wait_for_trials(1)
    before = (first.search / "executions.log").read_bytes()
    second = start()
    assert second.end() == 6
    assert "searching" not in second.errors
    assert f"held by pid {first.process.pid} on host " in second.errors
    assert " since " in second.errors
    assert before in (first.search / "executions.log").read_bytes()
    first.signal(signal.SIGINT)
    assert first.end() == 130


@pytest.mark.parametrize("limit", [12, 16])
def test_too_few_file_descriptors_end_the_search_with_the_limit(start: Start, limit: int) -> None:
    """A22: `ulimit -n`."""
    search = start(popen={"preexec_fn": _limit_files(limit)}, workers=8, pause=0.1)
    assert search.end(30) == 5, search.errors
    assert "Traceback" not in search.errors
    assert f"too many open files (limit {limit})" in search.errors
    again = start()
    assert again.end() == LEFT_OUT, again.errors
    assert dict(
        ledger_rows(again.search, "SELECT state, count(*) FROM attempt WHERE kind = 'trial' AND final GROUP BY state")
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


def _control_terminal(slave: int) -> Callable[[], None]:
    import fcntl
    import termios

    def prepare() -> None:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    return prepare


def _limit_files(limit: int) -> Callable[[], None]:
    import resource

    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def _read_all(master: int) -> bytes:
    """Read a terminal until the other side is closed."""
    screen = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:
            return screen
        screen += piece
