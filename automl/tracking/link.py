"""The coordinator's end of a carrier process: hands records over and takes acknowledgements, without ever blocking.

Knows no view and no mlflow, and keeps nothing: the ledger's outbox does.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from automl.data.durable import storage_errors
from automl.tracking.view import Record

_PACKAGE_FOLDER = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Ack:
    """What a carrier tells."""

    sent: tuple[int, ...]
    """Ids of records that need not be handed over again."""
    trouble: str | None = None
    """One line for people. Without `sent`: the store or the carrier is away. With it: what happened on the way, such as
    a record that was refused (it counts as sent) or a run that a person had deleted."""
    answers: dict[str, Any] = field(default_factory=dict)
    """What the view answered, by the record's topic."""


@dataclass(frozen=True, slots=True)
class _Running:
    """A living carrier process and what leads to it."""

    process: subprocess.Popen[bytes]
    socket: socket.socket
    connection: Connection
    outgoing: queue.SimpleQueue[bytes | None]
    sender: threading.Thread

    def put(self, message: Record) -> None:
        self.outgoing.put(json.dumps(message).encode())

    def end(self, timeout: float) -> int:
        """Close our direction and wait, killing after `timeout` seconds; returns the exit code."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)  # also wakes a sender that waits for room
        self.outgoing.put(None)
        self.sender.join()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def forget(self) -> None:
        self.connection.close()
        self.socket.close()


class CarrierLink:
    """One carrier process for one view.

    The coordinator calls `start` once, then `offer` and `receive` as it pleases; `connection` becomes readable when
    there is something to receive. After the process died, `connection` is None and `start` begins a new one, which is
    handed all that is not acknowledged. Call `start` in a thread that lives as long as the process (the main thread):
    the kernel ends the carrier with the thread that started it.
    """

    def __init__(self, view: str, *, settings: dict[str, Any]) -> None:
        """`settings`: plain JSON for the view, and `log`, the file that takes what the process prints."""
        self._view = view
        self._settings = settings
        self._unacknowledged: dict[int, Record] = {}
        self._running: _Running | None = None

    @property
    def connection(self) -> Connection | None:
        """For `multiprocessing.connection.wait`; None when no carrier runs."""
        return self._running.connection if self._running else None

    @property
    def pending(self) -> int:
        """Records offered and not yet acknowledged."""
        return len(self._unacknowledged)

    def start(self) -> None:
        """Start the process, if none runs, and hand it what is not acknowledged."""
        if self._running:
            return
        ours, theirs = socket.socketpair()
        with theirs:
            process = self._spawn(theirs)
        connection = Connection(os.dup(ours.fileno()))
        outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        # A thread writes, because the carrier runs only when no one else wants the processor and so reads late.
        sender = threading.Thread(target=_send, args=(connection, outgoing), daemon=True)
        sender.start()
        self._running = _Running(process, ours, connection, outgoing, sender)
        self._running.put({"parent": os.getpid(), "settings": self._settings})
        for record in self._unacknowledged.values():
            self._running.put(record)

    def offer(self, records: list[Record]) -> None:
        """Hand records over; without a running carrier they wait for the next `start`."""
        for record in records:
            self._unacknowledged[record["id"]] = record
            if self._running:
                self._running.put(record)

    def hurry(self) -> None:
        """Give the carrier a fair share of the processor from now on: somebody waits for it.

        Else it would hardly run on a machine that others keep busy, see `carrier.yield_to_others`. Its policy cannot be taken
        back without privileges, but the share of its session can, and it is alone there.
        """
        if self._running:
            with contextlib.suppress(OSError):
                Path(f"/proc/{self._running.process.pid}/autogroup").write_text("0")

    def worked(self) -> float:
        """Return the seconds of processor time that the process has used; 0 where none runs, or the system does not tell."""
        if self._running is None:
            return 0.0
        try:
            fields = Path(f"/proc/{self._running.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def receive(self) -> list[Ack]:
        """Return what the carrier has said since the last call; the end of the process is said as trouble."""
        acks: list[Ack] = []
        if self._running and not self._drain(self._running.connection, acks):
            code = self._running.end(timeout=1.0)
            self._running.forget()
            self._running = None
            acks.append(Ack((), f"the {self._view} carrier ended (exit code {code}), see {self._settings['log']}"))
        return acks

    def close(self, timeout: float) -> list[Ack]:
        """End the process, killing it after `timeout` seconds over the record in its hands; returns its last words."""
        acks: list[Ack] = []
        if self._running:
            self._running.end(timeout)
            self._drain(self._running.connection, acks)
            self._running.forget()
            self._running = None
        return acks

    def _drain(self, connection: Connection, acks: list[Ack]) -> bool:
        """Add what can be read now to `acks`; False when the process is gone."""
        try:
            while connection.poll():
                message = json.loads(connection.recv_bytes())
                acks.append(Ack(tuple(message["sent"]), message["trouble"], message["answers"]))
                for number in message["sent"]:
                    self._unacknowledged.pop(number, None)
        except (EOFError, OSError):
            return False
        return True

    def _spawn(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        with storage_errors("write", Path(self._settings["log"])):
            log = os.open(self._settings["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        path = os.pathsep.join(filter(None, (str(_PACKAGE_FOLDER), os.environ.get("PYTHONPATH"))))
        try:
            return subprocess.Popen(
                # -P: a file named like a library in the person's working folder must not be imported.
                [sys.executable, "-P", "-m", "automl.tracking.carrier", self._view],
                stdin=theirs.fileno(),
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": path},
                umask=0o077,  # MLflow and Optuna make files that everybody may read, else
                start_new_session=True,  # Ctrl-C reaches only the coordinator
            )
        finally:
            os.close(log)


def _send(connection: Connection, outgoing: queue.SimpleQueue[bytes | None]) -> None:
    with contextlib.suppress(OSError):
        while (frame := outgoing.get()) is not None:
            connection.send_bytes(frame)
