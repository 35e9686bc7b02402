"""Starting servers on the loopback, waiting until they answer, and ending them. Knows neither MLflow nor Optuna."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from automl.errors import ConfigError, StorageError
from automl.tracking.dashboard import HOST
from automl.tracking.uri import redact

_PORTS_TRIED = 100
_STARTING = 120.0
"""Seconds that a server may need: MLflow's takes 5 on a quiet machine."""
_ENDING = 10.0
_PACKAGE_FOLDER = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Server:
    """A program that listens on the loopback, at `port`."""

    name: str
    command: tuple[str, ...]
    port: int
    environ: Mapping[str, str]
    """All of its environment."""

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{HOST}:{self.port}"


def choose_port(wanted: int | None, *, first: int) -> int:
    """Return the wanted port, or the first free one from `first` on; raises StorageError where it is taken."""
    if wanted is not None:
        if not 1 <= wanted <= 65535:
            raise ConfigError(f"--port must be between 1 and 65535, but got {wanted}.")
        if not _is_free(wanted):
            raise StorageError(
                f"port {wanted} is in use or not allowed.", hint="Choose another --port, or leave it out."
            )
        return wanted
    last = min(first + _PORTS_TRIED, 65536)
    free = next((port for port in range(first, last) if _is_free(port)), None)
    if free is None:
        raise StorageError(f"no free port from {first} to {last - 1}.", hint="Choose one with --port.")
    return free


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what just ended is no obstacle; what listens is
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


@contextmanager
def started(servers: Sequence[Server]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start servers side by side and yield their processes when all answer; they end with the block, or with this process.

    Raises StorageError, with the last line that it printed, where one ends instead of answering.
    """
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(_running(server)) for server in servers]
        for server, (process, log) in zip(servers, running, strict=True):
            _await(server, process, log)
        yield [process for process, _ in running]


@contextmanager
def _running(server: Server) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    path = os.pathsep.join(filter(None, (str(_PACKAGE_FOLDER), server.environ.get("PYTHONPATH"))))
    with TemporaryFile() as log:
        process = subprocess.Popen(
            (sys.executable, "-m", "automl.tracking.guard", *server.command),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            # Safe path: a file named like a library in the person's working folder must not be imported.
            env={**server.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
            start_new_session=True,  # Ctrl-C reaches only us, and the guard can end the whole group
        )
        try:
            yield process, log
        finally:
            assert process.stdin is not None
            process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_ENDING)


def _await(server: Server, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    until = time.monotonic() + _STARTING
    while process.poll() is None and time.monotonic() < until:
        if _answers(server.port):
            return
        time.sleep(0.1)
    log.seek(0)
    lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    said = redact(lines[-1]) if lines else "it said nothing"
    raise StorageError(f"{server.name} did not start: {said}", hint="See also: automl doctor")


def _answers(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=5.0)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
