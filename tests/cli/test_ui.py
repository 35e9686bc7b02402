"""`automl ui`: servers for this machine only, links that hold, and nothing left behind when it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import stubs

from automl.cli.main import run
from automl.errors import ConfigError, StorageError
from automl.ledger import Home, Ledger, SearchFolder
from automl.tracking.dashboard import for_this_machine_only
from automl.tracking.mlflow_store import connect
from automl.tracking.optuna_view import OptunaView
from automl.tracking.serve import Server, choose_port, started
from automl.tracking.ui import comparison_link, mlflow_server, plan

AUTOML = str(Path(sys.executable).with_name("automl"))
HOSTILE = ("evil.example", "evil.example:{port}", "127.0.0.1", "localhost", "127.0.0.1:{other}", "localhost:{other}",
           "0.0.0.0:{port}", "[::1]:{port}", "127.0.0.1.evil.example:{port}", "localhost.evil.example:{port}",
           "127.0.0.2:{port}", "evil.example@127.0.0.1:{port}")  # fmt: skip
FOREIGN = ("http://evil.example", "null", "http://localhost.evil.example", "http://127.0.0.1.evil.example:{port}")
"""Origins; `null` is that of a sandboxed frame."""
LOCAL = ("http://localhost:{other}", "https://127.0.0.1:{port}")
"""Origins of other local pages. MLflow lets them write, whatever it is told; our dashboard does not."""


def status(port: int, path: str = "/", *, method: str = "GET", **headers: str) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, headers=headers)
        return connection.getresponse().status


def filled(names: tuple[str, ...], port: int) -> list[str]:
    return [name.format(port=port, other=port + 1) for name in names]


def begun_search() -> SearchFolder:
    home = Home.from_environment()
    home.create()
    folder = home.search("bowl-0")
    folder.create()
    with closing(Ledger.open(folder.ledger)) as ledger:
        ledger.begin(stubs.header())
    view = OptunaView({"path": str(folder.optuna), "search": "bowl-0"})
    view.open()
    view.close()
    return folder


@pytest.fixture
def folder() -> SearchFolder:
    """A search of the working folder's home, begun, with an Optuna file."""
    return begun_search()


# -- ports


def test_a_busy_port_is_refused_where_it_was_asked_for_and_passed_over_where_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StorageError, match=f"port {port} is in use"):
            choose_port(port, first=5000)
        assert choose_port(None, first=port) > port


@pytest.mark.parametrize("port", ["0", "-1", "65536"])
def test_a_port_that_is_none_is_wrong_usage(port: str) -> None:
    Path("mlflow.db").touch()
    assert run(["ui", "--port", port]) == 2


# -- what is started


def test_a_remote_server_is_linked_without_its_password_and_not_started(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:S3cr3t-xyz@127.0.0.1:9/team/")
    assert run(["ui"]) == 0
    assert capsys.readouterr().out == "MLflow: http://127.0.0.1:9/team\n"


@pytest.mark.parametrize("uri", ["databricks", "file:///tmp/mlruns", "sqlite://", "ftp://me:S3cr3t-xyz@host"])
def test_an_address_that_nothing_can_show_is_refused(uri: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be an http") as refusal:
        plan(Home(tmp_path), environ={"MLFLOW_TRACKING_URI": uri})
    assert "S3cr3t" not in str(refusal.value)


def test_an_empty_folder_is_said_to_be_empty_and_stays_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ui"]) == 2
    assert "nothing is recorded here yet" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_address_of_a_database_is_no_argument_which_everyone_could_read() -> None:
    uri = "postgresql://me:S3cr3t-xyz@host/db"
    server = mlflow_server(uri, 5000, environ={})
    assert not any("S3cr3t" in part for part in server.command)
    assert server.environ["MLFLOW_BACKEND_STORE_URI"] == uri


def test_settings_that_would_open_our_server_do_not_reach_it() -> None:
    server = mlflow_server("sqlite:////x", 5000, environ={"MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "true"})
    assert "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE" not in server.environ
    assert server.environ["MLFLOW_DISABLE_TELEMETRY"] == server.environ["DO_NOT_TRACK"] == "true"
    assert server.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


def test_a_dashboard_that_is_not_installed_is_said_with_the_command_that_installs_it(
    folder: SearchFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)  # as Python itself marks what cannot be imported
    assert run(["ui", "--optuna"]) == 2
    assert "optuna-dashboard is not installed. Run: pip install optuna-dashboard" in capsys.readouterr().err


def test_the_dashboard_alone_is_started_where_mlflow_has_nothing(folder: SearchFolder) -> None:
    chosen = plan(Home.from_environment(), optuna=True)
    assert [server.name for server in chosen.servers] == ["optuna-dashboard"]
    assert chosen.folder == folder


def test_of_two_searches_the_dashboard_wants_one_named(folder: SearchFolder) -> None:
    other = Home.from_environment().search("bowl-1")
    other.create()
    Ledger.open(other.ledger).close()
    with pytest.raises(ConfigError, match=r"name it\. Searches here: bowl-0, bowl-1"):
        plan(Home.from_environment(), optuna=True)
    with pytest.raises(ConfigError, match="Did you mean 'bowl-1'"):
        plan(Home.from_environment(), "bowl-11", optuna=True)


def test_a_comparison_shows_the_slots_of_one_search_the_best_first() -> None:
    link = comparison_link("http://127.0.0.1:5000", "1", "digits-0", "minimize")
    page, _, query = link.partition("?")
    assert page == "http://127.0.0.1:5000/#/experiments/1/runs"
    assert dict(parse_qsl(query)) == {
        "searchFilter": "tags.search = 'digits-0' and tags.slot LIKE '%'",
        "orderByKey": "metrics.`objective`",
        "orderByAsc": "true",
        "compareRunsMode": "CHART",
    }


# -- who may look


def answer(host: str | None, origin: str | None = None) -> str:
    def app(_: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [])
        return []

    said: list[str] = []
    environ = {"HTTP_HOST": host, "HTTP_ORIGIN": origin}
    given = {name: value for name, value in environ.items() if value is not None}
    list(for_this_machine_only(app, 8080)(given, lambda line, _: said.append(line)))
    return said[0][:3]


def test_the_dashboard_answers_to_two_names_only() -> None:
    assert {answer("127.0.0.1:8080"), answer("localhost:8080"), answer("localhost:8080", "http://localhost:8080")} == {
        "200"
    }
    assert {answer(host) for host in [*filled(HOSTILE, 8080), "", None]} == {"403"}
    assert {answer("localhost:8080", origin) for origin in filled(FOREIGN + LOCAL, 8080)} == {"403"}


# -- beginning and end

STUB = """
import subprocess, sys
from http.server import HTTPServer, SimpleHTTPRequestHandler
subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)  # "])
HTTPServer(("127.0.0.1", int(sys.argv[1])), SimpleHTTPRequestHandler).serve_forever()
"""
"""A server with a child that does not want to end."""


def stub(port: int, mark: str, code: str = STUB) -> Server:
    return Server("stub", (sys.executable, "-c", code.replace("# ", f"# {mark}"), str(port), mark), port, os.environ)


def alive(mark: str) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (place / "cmdline").read_text() and "State:\tZ" not in (place / "status").read_text():
                found.append(int(place.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def ends_within(seconds: float, mark: str) -> bool:
    until = time.monotonic() + seconds
    while alive(mark) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(mark)


def test_a_server_ends_with_the_block_and_so_do_its_children(tmp_path: Path) -> None:
    port = choose_port(None, first=21000)
    with started([stub(port, tmp_path.name + "-block")]) as (process,):
        assert status(port) == 200
        assert len(alive(tmp_path.name + "-block")) == 3  # the guard, the server and its child
    assert process.returncode is not None
    assert ends_within(1.0, tmp_path.name + "-block")


def test_a_server_ends_when_we_are_killed(tmp_path: Path) -> None:
    mark, port = tmp_path.name + "-killed", choose_port(None, first=22000)
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); import test_ui\n"
        "with test_ui.started([test_ui.stub(int(sys.argv[2]), sys.argv[3][::-1])]): print('up', flush=True); time.sleep(60)"
    )
    us = subprocess.Popen(
        [sys.executable, "-c", code, str(Path(__file__).parent), str(port), mark[::-1]], stdout=subprocess.PIPE
    )
    assert us.stdout is not None
    assert us.stdout.readline() == b"up\n"
    us.kill()
    us.wait()
    us.stdout.close()
    assert ends_within(1.0, mark)


def test_a_server_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    port = choose_port(None, first=23000)
    broken = stub(port, "", "raise SystemExit('no such table in http://me:S3cr3t-xyz@host')")
    with (
        pytest.raises(StorageError, match=r"stub did not start: no such table in http://\*\*\*@host"),
        started([broken]),
    ):
        pass


# -- the real ones


@dataclass(frozen=True, slots=True)
class Running:
    """`automl ui bowl-0 --optuna` with what it printed."""

    process: subprocess.Popen[str]
    links: dict[str, str]
    port: int


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    here = tmp_path_factory.mktemp("ui")
    with chdir(here):
        begun_search()
        connect("sqlite:///mlflow.db").create_experiment("bowl")
    command = [AUTOML, "ui", "bowl-0", "--optuna", "--port", str(choose_port(None, first=24000))]
    process = subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    links = {}
    assert process.stdout is not None
    for line in process.stdout:
        if ": " in line:
            label, link = line.strip().split(": ", 1)
            links[label] = link
        if "Ctrl-C" in line:
            break
    yield Running(process, links, int(command[-1]))
    process.send_signal(signal.SIGINT)
    process.wait(30)
    process.stdout.close()


@pytest.mark.slow
def test_the_links_lead_to_the_experiment_the_search_and_the_dashboard(ui: Running) -> None:
    base = f"http://127.0.0.1:{ui.port}/#/experiments/1/runs"
    assert ui.links["experiment bowl"] == base
    assert ui.links["search bowl-0"].startswith(f"{base}?searchFilter=")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", ui.links["optuna-dashboard"])


@pytest.mark.slow
def test_mlflow_answers_to_two_names_only(ui: Running) -> None:
    assert {status(ui.port, Host=f"{name}:{ui.port}") for name in ("127.0.0.1", "localhost")} == {200}
    assert {host: status(ui.port, Host=host) for host in filled(HOSTILE, ui.port)} == dict.fromkeys(
        filled(HOSTILE, ui.port), 403
    )
    path = "/api/2.0/mlflow/experiments/create"
    for origin in filled(FOREIGN, ui.port):
        assert status(ui.port, path, method="POST", Host=f"localhost:{ui.port}", Origin=origin) == 403, origin


@pytest.mark.slow
def test_both_listen_on_the_loopback_alone(ui: Running) -> None:
    ports = {ui.port, int(ui.links["optuna-dashboard"].rpartition(":")[2])}
    lines = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    bound = {line[1] for line in lines[1:] if line[3] == "0A" and int(line[1].rpartition(":")[2] or "0", 16) in ports}
    assert bound == {f"0100007F:{port:04X}" for port in ports}


@pytest.mark.slow
def test_ctrl_c_ends_both(ui: Running) -> None:
    ui.process.send_signal(signal.SIGINT)
    assert ui.process.wait(30) == 130
    for port in (ui.port, int(ui.links["optuna-dashboard"].rpartition(":")[2])):
        with pytest.raises(OSError):
            status(port)


def test_a_remote_server_that_does_not_answer_is_warned_of(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    assert run(["ui"]) == 0
    printed = capsys.readouterr()
    assert address in printed.out
    assert f"warning: nothing answers at {address}: " in printed.err
