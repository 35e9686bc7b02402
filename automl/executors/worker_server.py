"""Our end of the worker server: starts its process, orders workers from it, hears its words. Knows no assignment.

The other end, and the words between them, are in `automl/worker/server.py`.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from automl.executors.devices import Seat
from automl.executors.troubles import cannot_start


class WorkerServer:
    """The process that holds Lightning and forks a worker whenever it is asked to; it starts with this object."""

    def __init__(self, settings: dict[str, Any], log: Path) -> None:
        """Start it; `settings` are its first message, and `log` takes what it prints."""
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs, open(log, "ab", opener=partial(os.open, mode=0o600)) as output:
                command = [sys.executable, "-P", "-m", "automl.worker.server", str(theirs.fileno()), str(os.getpid())]
                self.process = subprocess.Popen(
                    command,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=_environment(),
                    umask=0o077,  # what workers and people's own code write is for its owner only
                )
        except OSError as error:
            raise cannot_start(error) from error
        ours.send(json.dumps(settings).encode())
        self._control = ours
        self.is_ready = False
        """Whether it has imported what workers need."""

    def fileno(self) -> int:
        """For a selector: readable when `hear` has something to say."""
        return self._control.fileno()

    def fork(self, worker: int, seat: Seat) -> Connection | None:
        """Order a worker and return our end of its pipe; None when the server has just died, which is heard in a moment."""
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise cannot_start(error) from error
        order = {"fork": worker, "threads": seat.threads, "environment": seat.environment}
        try:
            with theirs:
                socket.send_fds(self._control, [json.dumps(order).encode()], [theirs.fileno()])
        except (BrokenPipeError, ConnectionResetError):
            ours.close()
            return None
        return Connection(ours.detach())

    def hear(self) -> dict[str, Any] | None:
        """Return its next word, or None when it is dead. Raises StorageError when it could not fork."""
        try:
            message = self._control.recv(1 << 16)
        except ConnectionResetError:
            return None
        if not message:
            return None
        word: dict[str, Any] = json.loads(message)
        if "failed" in word:
            raise cannot_start(OSError(word["failed"], os.strerror(word["failed"])))
        self.is_ready = self.is_ready or "ready" in word
        return word

    def close(self) -> None:
        """Kill it, and with it all workers."""
        self._control.close()
        self.process.kill()
        self.process.wait()


def _environment() -> dict[str, str]:
    """One thread while importing; the worker sets its own number. Hash seeds are fixed so that runs repeat."""
    return {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
