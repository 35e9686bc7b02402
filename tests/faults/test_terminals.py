"""A7 and A10 of the fault tables: terminals that send Ctrl-C or close, and readers that go away."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from faultlib import LEFT_OUT, Start, finals, ledger_rows
from toy import Toy, assert_resumes_to_the_end

pytestmark = pytest.mark.slow


def test_ctrl_c_in_a_terminal_does_not_reach_the_workers(start: Start, toy: Toy) -> None:
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
    assert_resumes_to_the_end(toy)


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


def _control_terminal(slave: int) -> Callable[[], None]:
    import fcntl
    import termios

    def prepare() -> None:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    return prepare


def _read_all(master: int) -> bytes:
    """Read a terminal until the other side is closed."""
    screen = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:
            return screen
        screen += piece
