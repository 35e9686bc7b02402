"""B9 and B10 of the fault tables: MLflow is not there, or slow. Spoiled calls to it: see `tests/tracking`."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import stubs
from faultlib import WINE, Search, automl
from toy import Toy

from automl.cli.main import run
from automl.ledger import Home, Ledger, SearchFolder
from automl.tracking.mlflow_store import connect
from automl.tracking.views import open_views


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_a_search_without_its_mlflow_says_so_once_and_sync_brings_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """B9, and C14 on the command line. The worker is a thread here, the carriers are processes."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{closed_port()}")
    assert run([*WINE, "--executor", "inline"]) == 0
    said = capsys.readouterr()
    assert "5 messages not yet in MLflow; run: automl searches sync wine-0" in said.out
    assert said.err.count("warning: MLflow not reachable") == 1
    assert run([*WINE, "--executor", "inline"]) == 0
    assert "budget 2 already done" in capsys.readouterr().err
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    assert run(["searches", "sync", "wine-0"]) == 0
    assert "mlflow: synced 2/2" in capsys.readouterr().out
    database = sqlite3.connect(tmp_path / "mlflow.db")
    assert database.execute("SELECT status, count(*) FROM runs GROUP BY status").fetchall() == [("FINISHED", 3)]
    database.close()


@pytest.mark.slow
def test_a_password_is_in_nothing_that_a_search_without_its_mlflow_prints_and_writes(tmp_path: Path) -> None:
    address = "postgresql://me:S3/cr3t-xyz 'q@127.0.0.1:9/db?token=S3/cr3t-tok"
    for command in (
        [*WINE, "--executor", "inline"],
        ["searches", "sync", "wine-0"],
        ["models", "list"],
        ["--debug", "models", "list"],
        ["ui", "--port", "99999"],
        ["doctor"],
    ):
        done = automl(*command, cwd=tmp_path, env={"MLFLOW_TRACKING_URI": address})
        assert not [word for word in ("cr3t", "xyz", "-tok") if word in done.stdout + done.stderr], (command, done)
        assert "S3" not in done.stdout + done.stderr, command
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "mlflow.log" and path.stat().st_size for path in written)
    assert [path for path in written if b"cr3t" in path.read_bytes()] == []


@pytest.mark.slow
def test_sync_gives_up_at_once_where_no_waiting_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Home(tmp_path / ".automl").search("bowl-0")
    folder.create()
    with closing(Ledger.open(folder.ledger)) as ledger:
        ledger.begin(stubs.header())
    address = f"sqlite:///{tmp_path}/mlflow.db"
    connect(address).create_experiment("bowl", artifact_location="file:///etc")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    began = time.monotonic()
    assert run(["searches", "sync", "bowl-0"]) == 5
    assert time.monotonic() - began < 10  # it waited for 30
    assert "MLflow experiment 'bowl' must keep artifacts below" in capsys.readouterr().err


@pytest.fixture
def tarpit() -> Iterator[str]:
    """The address of a server that takes every call and never answers within the test."""
    server = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                held.append(server.accept()[0])
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    server.close()
    for connection in held:
        connection.close()


@pytest.mark.slow
def test_a_slow_mlflow_holds_up_no_trial_and_is_waited_for_no_longer_than_patience_lasts(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, tarpit: str
) -> None:
    """B10: the sample of the proof below, up to the last trial, and the end with less patience."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tarpit)
    began = time.monotonic()
    toy.run(tracking=True, budget={"trials": 20})
    assert time.monotonic() - began < 6
    with closing(toy.ledger()) as ledger:
        header = ledger.header()
        assert header is not None
        with open_views(ledger, header, SearchFolder(toy.search), mlflow=True, warn=print) as postmen:
            (mlflow,) = (postman for postman in postmen if postman.view == "mlflow")
            assert mlflow.drain(patience=1.0) == 21
    assert time.monotonic() - began < 25  # a call takes thirty


@pytest.mark.proof  # the test above is the sample
def test_a_slow_mlflow_slows_neither_the_search_nor_its_end(tmp_path: Path, tarpit: str) -> None:
    """B10: thirty seconds a call and more."""
    popen = {"env": {"MLFLOW_TRACKING_URI": tarpit}}
    search = Search(tmp_path, real_end=True, tracking=True, budget={"trials": 20}, pause=0.01, popen=popen)
    try:
        assert search.end(80) == 0, search.errors
        document = json.loads(search.output())
        assert document["phases"]["search"] < 6
        assert document["phases"]["sync"] < 20  # a call takes thirty
        assert document["mlflow"]["pending"] == 23
    finally:
        search.kill_all()
