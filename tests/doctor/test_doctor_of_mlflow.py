"""`automl doctor` on the address of MLflow: whose it is, how long it is waited for, and no secret shown."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from automl.cli.main import run
from automl.doctor.address import mlflow_finding


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
