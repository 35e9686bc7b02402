"""A worker's end of the pipe to its coordinator. Frames of JSON; never pickle."""

from __future__ import annotations

import json
import os
import select
import time
from multiprocessing.connection import Connection
from typing import Any

from automl.messages import Answer, Outcome, Report, to_json

_TICK_SECONDS = 1.0


class PipeChannel:
    """Sends reports and ticks, takes answers. When the coordinator is gone the worker ends at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._poll = select.poll()
        self._poll.register(connection.fileno(), select.POLLIN)
        self._assignment = ""
        self._reported = 0
        self._answered = 0
        self._ticked = 0.0

    def next_assignment(self) -> dict[str, Any]:
        """Block until the next assignment comes; returns its JSON form. Answers that come too late are dropped."""
        while (message := self._receive())["type"] != "assignment":
            pass
        body: dict[str, Any] = message["body"]
        self._assignment, self._reported, self._answered = body["id"], 0, 0
        self._ticked = time.monotonic()
        return body

    def report(self, report: Report) -> None:
        """Send one epoch's values; does not wait for the answer."""
        self._reported = report.step
        self._send("report", to_json(report))

    def answer(self, *, wait: bool) -> Answer | None:
        """Return the newest answer not yet taken; with `wait`, block until the last report is answered."""
        newest = None
        while self._poll.poll(0) or (wait and self._answered < self._reported):
            message = self._receive()
            if message["type"] == "answer" and message["body"]["assignment"] == self._assignment:
                newest = Answer(**message["body"])
                self._answered = newest.step
        return newest

    def tick(self) -> None:
        """Say that training goes on, at most once a second."""
        now = time.monotonic()
        if now - self._ticked >= _TICK_SECONDS:
            self._ticked = now
            self._send("tick", "null")

    def finish(self, outcomes: tuple[Outcome, ...]) -> None:
        """Hand over the outcomes of the current assignment."""
        self._send("outcomes", "[" + ",".join(map(to_json, outcomes)) + "]")

    def give_up(self, number: int) -> None:
        """Say with which system error (errno) this worker ends: what it was assigned is nobody's fault."""
        self._send("gave-up", str(number))

    def _send(self, kind: str, body: str) -> None:
        try:
            self._connection.send_bytes(f'{{"type":"{kind}","body":{body}}}'.encode())
        except OSError:
            os._exit(1)

    def _receive(self) -> dict[str, Any]:
        try:
            message: dict[str, Any] = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)
        return message
