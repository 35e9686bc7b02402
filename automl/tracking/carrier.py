"""The carrier process: records come in over its standard input (a socket), go to one view, and are acknowledged.

`python -m automl.tracking.carrier mlflow` or `optuna`, started by `link.py` and useless by hand. It keeps nothing: what
is not acknowledged when it ends is handed to its successor. It uses the processor only when nobody else wants it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import sys
import time
from collections import deque
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TextIO

from automl.errors import StorageError
from automl.tracking.uri import redact
from automl.tracking.view import Record, Refused, Say, View
from automl.worker.lifeline import die_with

_ACK_INTERVAL = 0.2
"""Seconds between acknowledgements, so that the coordinator is not woken for each record."""

_logger = logging.getLogger(__name__)


class Carrier:
    """The loop between a connection and a view. Ends when the connection does.

    A failed record goes to the end of the queue, so that one which always fails does not stand in the others' way; a question
    goes to its front, since somebody waits for the answer.
    """

    def __init__(
        self, connection: Connection, view: View, *, first_delay: float = 1.0, longest_delay: float = 60.0
    ) -> None:
        self._connection = connection
        self._view = view
        self._first_delay = first_delay
        self._longest_delay = longest_delay
        self._queue: deque[Record] = deque()
        self._sent: list[int] = []
        self._answers: dict[str, Any] = {}
        self._acknowledged_at = time.monotonic()
        self._notices: list[str] = []
        self._trouble: str | None = None

    def run(self) -> None:
        """Carry until the coordinator closes its end; the wait between failures is 1, 2, 4 .. 60 s."""
        is_open = False
        delay = 0.0
        while self._take(wait=delay if delay or not is_open else None):
            try:
                if not is_open:
                    self._view.open()
                    is_open = True
                elif self._queue:
                    self._carry_one()
                delay = 0.0
                if not self._queue:
                    self._trouble = None
            except Exception as error:
                delay = min(delay * 2 or self._first_delay, self._longest_delay)
                self._queue.rotate(-1)
                self._report(error)
            self._acknowledge_when_due()
        self._view.close()
        self._acknowledge()

    def say(self, notice: str) -> None:
        """Tell the coordinator one line for people, with the next record that is sent."""
        self._notices.append(notice)

    def _take(self, wait: float | None) -> bool:
        """Read what comes: for `wait` seconds, or until there is work; False when the coordinator is gone."""
        until = None if wait is None else time.monotonic() + wait
        try:
            while True:
                idle = 0.0 if self._queue else None
                if not self._connection.poll(idle if until is None else max(0.0, until - time.monotonic())):
                    return True
                record = json.loads(self._connection.recv_bytes())
                (self._queue.append if record["id"] else self._queue.appendleft)(record)
        except (EOFError, OSError):
            return False

    def _carry_one(self) -> None:
        record = self._queue[0]
        try:
            answer = self._view.send(record)
            if answer is not None:
                self._answers[record["topic"]] = answer
        except Refused as refusal:
            _logger.exception("record %s set aside", record["id"])
            self.say(str(refusal))
        self._queue.popleft()
        self._sent.append(record["id"])

    def _report(self, error: Exception) -> None:
        """Say what is wrong, once until everything is in step again."""
        _logger.error("will be tried again", exc_info=error)
        trouble = str(error) if isinstance(error, StorageError) else f"{type(error).__name__}: {error}"
        if trouble != self._trouble:
            self._trouble = trouble
            self._acknowledge()
            self._tell([], trouble)

    def _acknowledge_when_due(self) -> None:
        if not self._queue or time.monotonic() - self._acknowledged_at > _ACK_INTERVAL:
            self._acknowledge()

    def _acknowledge(self) -> None:
        self._acknowledged_at = time.monotonic()
        if self._sent:
            self._tell(self._sent, "; ".join(self._notices) or None)
            self._sent, self._notices, self._answers = [], [], {}

    def _tell(self, sent: list[int], trouble: str | None) -> None:
        line = trouble and redact(trouble)
        message = {"sent": sent, "trouble": line, "answers": self._answers if sent else {}}
        self._connection.send_bytes(json.dumps(message).encode())


class _Redacting:
    """A text stream that takes passwords out of addresses before anything reaches the log file."""

    def __init__(self, stream: TextIO, uri: str | None) -> None:
        self._stream = stream
        self._uri = uri

    def write(self, text: str) -> int:
        self._stream.write(redact(text, self._uri))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def make_view(name: str, settings: dict[str, Any], say: Say) -> View:
    """Build the view of that name; its library is imported by `open`, not here."""
    if name == "mlflow":
        from automl.tracking.mlflow_view import MlflowView

        return MlflowView(settings, say=say)
    from automl.tracking.optuna_view import OptunaView

    return OptunaView(settings)


def main(name: str) -> None:
    """Live as long as the coordinator: die with it, read the settings, carry."""
    connection = _claim_standard_input()
    try:
        hello = json.loads(connection.recv_bytes())
    except (EOFError, OSError):
        return
    die_with(hello["parent"])
    yield_to_others()
    settings = hello["settings"]
    uri = settings.get("tracking_uri")
    sys.stdout, sys.stderr = _Redacting(sys.stdout, uri), _Redacting(sys.stderr, uri)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    delays = {key: settings[key] for key in ("first_delay", "longest_delay") if key in settings}
    carrier: Carrier
    view = make_view(name, settings, lambda line: carrier.say(line))
    carrier = Carrier(connection, view, **delays)
    with contextlib.suppress(BrokenPipeError):
        carrier.run()
    # Else the interpreter walks all that mlflow brought, for a second, while the coordinator waits for our end.
    gc.freeze()


def yield_to_others() -> None:
    """Let the kernel run this process only when no one else wants the processor.

    We lead a session of our own, and Linux shares the processor between sessions first (sched(7), "autogroup"): without the
    first step we would get as much as a worker, whatever our policy.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text("19")
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except (AttributeError, OSError):
        os.nice(19)


def _claim_standard_input() -> Connection:
    connection = Connection(os.dup(0))
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    return connection


if __name__ == "__main__":
    main(sys.argv[1])
