"""`automl doctor` on real files: what is sound is called sound, what is broken is named, and nothing that was looked at changes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import optuna
import pytest
import stubs

from automl.cli.main import run
from automl.doctor import Finding, exit_code
from automl.doctor.address import mlflow_finding, without_secrets
from automl.doctor.machine import TESTED, device_findings, version_findings
from automl.ledger import Attempt, Home, Ledger, SearchFolder, SearchLock
from automl.messages import Outcome
from automl.tracking.optuna_view import OptunaView
from automl.tracking.records import record

X = {"name": "FloatDistribution", "attributes": {"step": None, "low": 0.0, "high": 1.0, "log": False}}
SLOTS = 40


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one finished search of 40 slots, and Optuna's copy of it."""
    home = Home(tmp_path_factory.mktemp("template") / ".automl")
    home.create()
    folder = home.search("bowl-0")
    folder.create()
    with closing(Ledger.open(folder.ledger)) as ledger:
        header = replace(stubs.header(), config={"tracking": False})
        ledger.begin(header)
        view = OptunaView({"path": str(folder.optuna), "search": "bowl-0"})
        view.open()
        with closing(view):
            for slot in range(SLOTS):
                view.send(record(header, "optuna", 0, "slot", complete(ledger, slot)))
        ledger.finish({"seconds": 1.0})
        ledger.mark_sent([message for view in ("optuna", "mlflow") for message, *_ in ledger.unsent(view)])
    (folder.root / "lock").touch()
    return home.root


def complete(ledger: Ledger, slot: int) -> Attempt:
    suggestion = {"params": {"x": 0.5}, "distributions": {"x": X}}
    opened = ledger.open_attempt(Attempt("trial", slot, 0, 0, "mlp", {"x": 0.5}, seed=7, suggestion=suggestion))
    return ledger.close_attempt(opened, Outcome(opened.key, 0, "complete", value=0.1 * slot, cost={"seconds": 1.0}))


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> SearchFolder:
    """A copy of that search, in the working folder's own home."""
    subprocess.run(["cp", "-r", str(template), str(tmp_path / ".automl")], check=True)
    return Home.from_environment().search("bowl-0")


def examine(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Run `automl doctor --json`; returns its exit code and its findings by name."""
    code = run(["doctor", "--json", *options])
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] == (code == 0)
    return code, {finding["name"]: finding for finding in document["findings"]}


def hashes(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def flip(path: Path, offset: int, count: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        old = file.read(count)
        file.seek(offset)
        file.write(bytes(byte ^ 0xFF for byte in old))


# -- searches


def test_a_sound_search_is_called_sound_and_looking_changes_no_file(
    folder: SearchFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    before = hashes(folder.root)
    code, found = examine(capsys)
    assert code == 0
    assert found["bowl-0 ledger"]["found"] == "sound, format 1, 40 slots final"
    assert found["bowl-0 optuna"]["found"] == "opens, 40 of 40 slots"
    assert hashes(folder.root) == before


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: os.truncate(path, 100),
        lambda path: os.truncate(path, 0),
        lambda path: flip(path, 0, 16),
        lambda path: flip(path, 4096, 64),
        lambda path: flip(path, path.stat().st_size // 2 // 4096 * 4096, 2048),
        lambda path: path.write_bytes(b"\0" * 8192),
        lambda path: path.unlink(),
    ],
    ids=["half", "a header", "nothing", "another magic", "flipped page", "flipped half page", "zeros", "gone"],
)
def test_a_harmed_ledger_is_a_named_problem_and_stays_as_it_is(
    harm: object, folder: SearchFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    harm(folder.ledger)  # type: ignore[operator]
    before = hashes(folder.root)
    code, found = examine(capsys)
    assert code == 5
    assert found["bowl-0 ledger"]["state"] == "problem"
    assert str(folder.ledger) in found["bowl-0 ledger"]["hint"]
    assert hashes(folder.root) == before


def test_a_flipped_byte_in_a_row_is_found_though_every_page_is_sound(
    folder: SearchFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    where = folder.ledger.read_bytes().index(b'{"params"')
    flip(folder.ledger, where, 1)
    with closing(sqlite3.connect(folder.ledger)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    code, found = examine(capsys)
    assert code == 5
    assert "of table attempt has no readable 'suggestion'" in found["bowl-0 ledger"]["found"]


def test_a_ledger_of_a_later_version_is_a_problem(folder: SearchFolder, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(folder.ledger)) as database, database:
        database.execute("UPDATE search SET format = 2")
    code, found = examine(capsys)
    assert code == 5
    assert "of format 2, this version reads 1" in found["bowl-0 ledger"]["found"]


def test_who_holds_a_search_is_said_and_is_no_problem(folder: SearchFolder, capsys: pytest.CaptureFixture[str]) -> None:
    with SearchLock(folder.root):
        code, found = examine(capsys)
        held = found["bowl-0 ledger"]["found"]
    assert code == 0
    assert f"held by pid {os.getpid()}" in held


def test_a_search_can_begin_right_after_it_was_looked_at(
    folder: SearchFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    examine(capsys)
    with SearchLock(folder.root):
        pass


# -- Optuna's copy, and its repair


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_text("not a database"),
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: flip(path, 8192, 4096),
        lambda path: alter(path, "DROP TABLE trials"),
        lambda path: alter(path, "UPDATE alembic_version SET version_num = 'v3.0.0.a'"),
        lambda path: path.write_bytes(b""),
    ],
    ids=["text", "half", "flipped page", "a table dropped", "an older format", "empty"],
)
def test_a_broken_optuna_file_is_named_then_repaired_from_the_ledger_and_kept(
    harm: object, folder: SearchFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    harm(folder.optuna)  # type: ignore[operator]
    broken = folder.optuna.read_bytes()
    code, found = examine(capsys)
    assert (code, found["bowl-0 optuna"]["state"]) == (5, "problem")
    assert "automl doctor --repair" in found["bowl-0 optuna"]["hint"]
    code, found = examine(capsys, "--repair")
    assert (code, found["bowl-0 optuna"]["found"]) == (0, "opens, 40 of 40 slots")
    (kept,) = folder.root.glob("optuna.db.broken-*")
    assert kept.read_bytes() == broken
    study = optuna.load_study(storage=f"sqlite:///{folder.optuna}", study_name="bowl-0-mlp")
    assert sorted(trial.user_attrs["slot"] for trial in study.trials) == list(range(SLOTS))


def alter(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA foreign_keys=OFF")
        database.execute(statement)


def test_a_sound_optuna_file_is_not_repaired(folder: SearchFolder, capsys: pytest.CaptureFixture[str]) -> None:
    before = hashes(folder.root)
    examine(capsys, "--repair")
    assert hashes(folder.root) == before


def test_nothing_is_moved_where_the_ledger_cannot_say_what_was_in_the_copy(
    folder: SearchFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(folder.ledger, 4096, 64)
    folder.optuna.write_text("not a database")
    before = {path: digest for path, digest in hashes(folder.root).items() if not path.endswith("/lock")}
    code, found = examine(capsys, "--repair")
    assert code == 5
    assert "Restore the ledger" in found["bowl-0 optuna"]["hint"]
    assert {path: digest for path, digest in hashes(folder.root).items() if not path.endswith("/lock")} == before


def test_the_copy_of_a_running_search_is_not_touched(folder: SearchFolder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.optuna.write_text("not a database")
    with SearchLock(folder.root):
        assert run(["doctor", "--repair"]) == 5
    assert "not repaired: search 'bowl-0' is held by pid" in capsys.readouterr().out
    assert folder.optuna.read_text() == "not a database"


# -- MLflow


class Answer(BaseHTTPRequestHandler):
    """What stands behind an address: `said` with `status`."""

    status, said = 200, b"3.17.2"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.said)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[type[Answer]]:
    class Here(Answer):
        url = ""

    http = HTTPServer(("127.0.0.1", 0), Here)
    Here.url = f"127.0.0.1:{http.server_port}"
    threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    yield Here
    http.shutdown()
    http.server_close()


@pytest.mark.parametrize(
    ("status", "said", "state"),
    [(200, b"3.17.2", "ok"), (401, b"", "ok"), (200, b"<html>", "problem"), (502, b"", "problem")],
)
def test_an_http_address_must_be_mlflows(
    server: type[Answer], status: int, said: bytes, state: str, tmp_path: Path
) -> None:
    server.status, server.said = status, said
    assert mlflow_finding({"MLFLOW_TRACKING_URI": f"http://{server.url}"}, tmp_path).state == state


def test_a_host_that_takes_the_connection_and_stays_silent_does_not_hold_us_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begin = time.monotonic()
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        finding = mlflow_finding({"MLFLOW_TRACKING_URI": uri}, tmp_path, patience=0.3)
    assert finding.state == "problem"
    assert time.monotonic() - begin < 1.0


def test_a_name_that_nobody_resolves_does_not_hold_us_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(30))  # a resolver knows no time limit
    begin = time.monotonic()
    finding = mlflow_finding({"MLFLOW_TRACKING_URI": "http://nowhere.invalid"}, tmp_path, patience=0.2)
    assert "no answer within 0.2 s" in finding.found
    assert time.monotonic() - begin < 1.0


def test_a_damaged_mlflow_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("not a database")
    finding = mlflow_finding({}, tmp_path)
    assert (finding.state, "Move it aside" in finding.hint) == ("problem", True)


@pytest.mark.parametrize(
    "uri",
    [
        "http://me:S3cr3t-xyz@127.0.0.1:9",
        "http://me:S3cr3t-xyz/x@127.0.0.1:9",
        "http://me:S3cr3t-xyz#x@127.0.0.1:9",
        "http://S3cr3t-xyz@127.0.0.1:9",
        "http://me:pa:S3cr3t-xyz@127.0.0.1:port",
        "postgresql://me:S3cr3t-xyz?@127.0.0.1:9/db",
        "postgresql://127.0.0.1:9/db?user=me&password=S3cr3t-xyz",
        "http://me:S3cr3t-xyz@[::1",
    ],
)
def test_a_password_is_never_shown(
    uri: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    for form in ([], ["--json"]):
        assert run(["doctor", *form]) == 5
    shown = "".join(capsys.readouterr())
    assert "S3cr3t" not in shown
    assert shown.count("MLFLOW_TRACKING_URI") >= 2


def test_what_is_no_secret_stays_readable() -> None:
    uri = "http://me:S3cr3t-xyz@host:9"
    assert without_secrets("connection refused by host", uri) == "connection refused by host"


# -- the machine


def test_the_tested_versions_are_those_of_the_constraints() -> None:
    pins = dict(re.findall(r"^([\w-]+)==(.+)$", (Path(__file__).parents[2] / "constraints.txt").read_text(), re.M))
    assert {name: pins[name] for name in TESTED} == TESTED


@pytest.mark.parametrize(
    ("installed", "state"), [("2.13.0+cpu", "ok"), ("2.14.1", "note"), ("2.4.0", "problem"), (None, "problem")]
)
def test_a_version_is_as_tested_allowed_or_a_problem(installed: str | None, state: str) -> None:
    versions: dict[str, str | None] = {**TESTED, "torch": installed}
    found = {finding.name: finding for finding in version_findings(versions.get)}
    assert found["torch"].state == state
    assert bool(found["torch"].hint) == (state == "problem")


def test_gpus_with_a_torch_that_cannot_use_them_are_a_problem() -> None:
    found = {f.name: f for f in device_findings({}, list_gpus=lambda: ["GPU-1"], look_up=lambda _: "2.13.0+cpu")}
    assert found["gpus"].found == "1: GPU-1"
    assert found["torch build"].state == "problem"


def test_a_folder_that_cannot_be_made_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / "file" / "home"))
    code, found = examine(capsys)
    assert (code, found["home"]["state"]) == (5, "problem")


def test_without_searches_all_is_well_and_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    assert "no problems" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_problem_elsewhere_than_in_what_is_stored_ends_with_1() -> None:
    assert exit_code([Finding("versions", "torch", "problem", "not installed")]) == 1


def test_looking_imports_neither_torch_nor_mlflow(folder: SearchFolder) -> None:
    code = "import sys; from automl.cli.main import run; run(['doctor']); print(*sys.modules, file=sys.stderr)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split()
    assert not {"torch", "mlflow", "pandas", "pytorch_lightning"} & set(loaded)
