"""B1, B6 and B8 of the fault tables: a ledger that is locked, answers in doubt, is damaged or none."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stub_worker
import stubs

from automl.cli.main import run
from automl.coordinator.loop import Coordinator
from automl.coordinator.reconcile import reconcile
from automl.errors import StorageError
from automl.executors.inline import InlineExecutor
from automl.ledger import Home, Ledger, SearchFolder
from automl.messages import Outcome
from automl.worker.perform import Places

HOLD = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Any]:
    """Let another process lock a database for some seconds."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(path: Path, seconds: float) -> int:
        command = [sys.executable, "-c", HOLD, str(path), str(seconds)]
        begun.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        assert begun[-1].stdout is not None
        assert begun[-1].stdout.readline() == b"held\n"
        return begun[-1].pid

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def a_ledger(folder: Path, **choices: Any) -> Ledger:
    place = SearchFolder(folder / "search")
    place.create()
    ledger = Ledger.open(place.ledger, **choices)
    if ledger.header() is None:
        ledger.begin(stubs.header())
    return ledger


def test_a_short_lock_on_the_ledger_is_waited_for(tmp_path: Path, hold: Any) -> None:
    """B1."""
    ledger = a_ledger(tmp_path)
    hold(tmp_path / "search" / "ledger.db", 0.4)
    ledger.reconfigure({"waited": True})
    header = ledger.header()
    assert header is not None
    assert header.config == {"waited": True}


def test_a_long_lock_on_the_ledger_names_file_and_holder(tmp_path: Path, hold: Any) -> None:
    """B1: what was acknowledged stays."""
    ledger = a_ledger(tmp_path, connect_args={"timeout": 0.2})
    path = tmp_path / "search" / "ledger.db"
    pid = hold(path, 30)
    with pytest.raises(StorageError) as caught:
        ledger.reconfigure({"waited": True})
    assert str(caught.value) == f"{path} is locked by pid {pid}."
    assert caught.value.exit_code == 5
    header = ledger.header()
    assert header is not None
    assert header.config == stubs.header().config


class DoubtfulConnection(sqlite3.Connection):
    """Each seventh commit reaches the disk, and its answer is lost."""

    commits = 0

    def commit(self) -> None:
        """Commit, and say that it failed."""
        super().commit()
        DoubtfulConnection.commits += 1
        if DoubtfulConnection.commits % 7 == 0:
            raise sqlite3.OperationalError("answer lost")


def test_a_commit_whose_answer_is_lost_is_not_made_twice(tmp_path: Path) -> None:
    """B6: slot and attempt are the key of a row, so the restart finds what is there."""
    DoubtfulConnection.commits = 0
    restarts = 0
    while restarts < 50:
        try:
            ledger = a_ledger(tmp_path, connect_args={"factory": DoubtfulConnection})
            place = SearchFolder(tmp_path / "search")
            reconcile(ledger, place.results)
            executor = InlineExecutor(Places(tmp_path, place.root), stub_worker.perform)
            Coordinator(ledger, executor, place.results).carry_out(stubs.decision(6), "trial")
            break
        except StorageError:
            ledger.close()
            restarts += 1
    assert restarts >= 2
    ledger = Ledger.open(tmp_path / "search" / "ledger.db")
    stubs.assert_each_slot_final_once(ledger, 6)
    assert ledger.count_unsent("mlflow", "slot") == 6
    keys = [attempt.key for attempt in ledger.attempts()]
    assert len(keys) == len(set(keys))


def test_closing_an_attempt_twice_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    """B6."""
    ledger = a_ledger(tmp_path)
    attempt = stubs.decision(1).next()
    assert attempt is not None
    opened = ledger.open_attempt(attempt)
    ledger.close_attempt(opened, Outcome(opened.key, 0, "complete", value=1.0))
    with pytest.raises(StorageError, match="attempt trial-0-0-0 is not open any more"):
        ledger.close_attempt(opened, Outcome(opened.key, 0, "complete", value=2.0))
    assert [a.value for a in ledger.attempts()] == [1.0]
    assert ledger.count_unsent("mlflow", "slot") == 1


def spoil_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = bytes(4096)
    path.write_bytes(content)


def spoil_all(path: Path) -> None:
    path.write_text("These are my notes.\n" * 300)


def spoil_tables(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE mine (x)")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(spoil_middle, "ledger.db is "), (spoil_all, "is not a database"), (spoil_tables, "is not a search ledger")],
)
def test_a_ledger_that_is_none_is_refused_and_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Any, words: str
) -> None:
    """B8: never created anew over it, neither by a search nor by looking at it."""
    folder = Home.from_environment().search("wine-0")
    folder.create()
    ledger = Ledger.open(folder.ledger)
    ledger.begin(stubs.header("wine-0"))
    for _ in range(50):
        ledger.reconfigure({"padding": "x" * 20_000})
    ledger.close()
    spoil(folder.ledger)
    before = folder.ledger.read_bytes()
    for command in (["search", "wine"], ["searches", "show", "wine-0"], ["searches", "sync", "wine-0"]):
        assert run(command) == 5
        said = capsys.readouterr().err
        assert words in said
        assert "left as it" in said
        assert folder.ledger.read_bytes() == before


def test_a_ledger_that_was_being_made_is_made_anew(tmp_path: Path) -> None:
    """B8: a kill after the file was created and before its tables were; nobody's data is in it."""
    place = SearchFolder(tmp_path / "search")
    place.create()
    with sqlite3.connect(place.ledger) as database:
        database.execute("PRAGMA journal_mode=WAL")
    assert place.ledger.stat().st_size > 0
    ledger = a_ledger(tmp_path)
    assert ledger.header() is not None
    assert place.ledger.stat().st_mode & 0o777 == 0o600
