"""One worker as the coordinator sees it: its pipe, its assignment, its silence. Decides nothing of what follows its end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from automl.executors.devices import Seat
from automl.messages import Answer, Assignment, to_json


@dataclass
class WorkerProcess:
    """A process forked by the worker server, and our end of the pipe to it; the worker's end is `automl/worker/channel.py`."""

    id: int
    seat: Seat
    connection: Connection
    pid: int | None = None
    assignment: str | None = None
    heard: float = 0.0
    """Monotonic time of the last message while it works."""
    done: int = 0
    """Assignments finished."""
    verdict: str = ""
    """Why we are killing it, once we are."""
    kill_at: float = field(default=float("inf"))

    def assign(self, assignment: Assignment, now: float) -> None:
        """Hand it an assignment; its silence counts from now."""
        self.assignment, self.heard = assignment.id, now
        self._send("assignment", to_json(assignment))

    def answer(self, answer: Answer) -> None:
        """Pass an answer on."""
        self._send("answer", to_json(answer))

    def hear(self, now: float) -> dict[str, Any] | None:
        """Return its next message (a type and a body), or None when its end is closed."""
        try:
            message: dict[str, Any] = json.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            return None
        self.heard = now
        return message

    def has_more(self) -> bool:
        """Whether another message, or the end, is there to be heard."""
        return self.connection.poll(0)

    def end_if_silent(self, now: float, stall_timeout: float, kill_after: float) -> None:
        """Ask it to end once it has been silent for too long at its work, and kill it where it does not."""
        if self.assignment is None:
            return
        if now >= self.kill_at:
            self.signal(signal.SIGKILL)
        elif now - self.heard > stall_timeout and not self.verdict:
            self.verdict = f"no progress for {stall_timeout:g} s"
            self.kill_at = now + kill_after
            self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and its children."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _send(self, kind: str, body: str) -> None:
        # A worker that is gone is told of by the server; what was meant for it is void.
        with contextlib.suppress(OSError):
            self.connection.send_bytes(f'{{"type":"{kind}","body":{body}}}'.encode())
