"""A7 to A9 of the fault tables: Ctrl-C and SIGTERM, once and twice, at each moment of a search."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest
from faultlib import AT_ONCE, LEFT_OUT, Start, finals, ledger_rows, until
from toy import Toy, assert_resumes_to_the_end

pytestmark = pytest.mark.slow


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
    again = start()
    assert again.end() == LEFT_OUT, again.errors
    assert "resumed: " in again.errors
    assert finals(again.search) == list(range(6))


def test_ctrl_c_ends_within_ten_seconds_though_a_worker_hangs(start: Start, toy: Toy) -> None:
    """A7: a worker that never answers is killed; its slot is interrupted, not charged."""
    search = start(misbehave="1:hang")
    search.wait_for_trials(2)
    time.sleep(0.3)
    search.signal(signal.SIGINT)
    assert search.end(12) == 130
    assert ledger_rows(search.search, "SELECT state FROM attempt WHERE slot = 1") == [("interrupted",)]
    assert_resumes_to_the_end(toy)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once(start: Start, toy: Toy, number: int) -> None:
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
    assert_resumes_to_the_end(toy)


@pytest.mark.parametrize("delay", [0.0, 0.2, 0.5])
def test_ctrl_c_during_start_ends_at_once(start: Start, toy: Toy, delay: float) -> None:
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
    toy.run()


def test_ctrl_c_during_refit_and_export_leaves_a_whole_bundle_or_none(start: Start, tmp_path: Path) -> None:
    """A8: two signals 0.3 s apart at the end of one search; what follows goes on from there. For more moments: `test_killed_finish`."""
    exports = tmp_path / "exports" / "toy"
    search = start(real_end=True, budget={"trials": 2})
    until(lambda: "refitting" in search.errors, 30)
    time.sleep(1.0)
    search.signal(signal.SIGINT)
    time.sleep(0.3)
    if search.process.poll() is None:
        search.signal(signal.SIGINT)
    assert search.end(5) == 130
    assert "Traceback" not in search.errors
    latest = exports / "LATEST"
    assert not latest.exists() or (exports / latest.read_text().strip() / "manifest.json").exists()
    until(lambda: not search.living(), AT_ONCE)
    last = start(real_end=True, budget={"trials": 2})
    assert last.end() == 0, last.errors
    document = json.loads(last.output())
    assert (tmp_path / document["bundle"] / "manifest.json").exists()
    assert finals(last.search) == [0, 1]


def test_sigterm_ends_tidily_with_143(start: Start, toy: Toy) -> None:
    """A9."""
    search = start(pause=0.2)
    search.wait_for_trials(4)
    search.signal(signal.SIGTERM)
    assert search.end(15) == 143
    assert dict(ledger_rows(search.search, "SELECT state, count(*) FROM attempt GROUP BY state"))["interrupted"] == 2
    assert_resumes_to_the_end(toy)
