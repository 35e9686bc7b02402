"""Workers on this machine: forked from a server that holds Lightning, one per seat, replaced when they die."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from automl.data.durable import FULL, disk_full
from automl.errors import StorageError
from automl.executors.base import Ended, Event, Lost, Reported
from automl.executors.devices import Seat
from automl.messages import Answer, Assignment, Report, outcome_from, to_json
from automl.worker.perform import Places

_PRELOAD = ("automl.worker.preload",)
_PERFORM = "automl.worker.perform:perform"
_MOST_DEATHS = 10


@dataclass
class _Worker:
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


class LocalExecutor:
    """One worker process per seat. Death is seen by the kernel's word, never by a clock; a hang by silence."""

    def __init__(
        self,
        seats: tuple[Seat, ...],
        places: Places,
        *,
        families_from: str | None = None,
        stall_timeout: float = 600.0,
        kill_after: float = 10.0,
        recycle_after: int = 500,
        perform: str = _PERFORM,
        preload: tuple[str, ...] = _PRELOAD,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seats = seats
        self._settings = {
            "perform": perform,
            "preload": preload,
            "data": str(places.data),
            "search": str(places.search),
            "families_from": families_from,
        }
        self._stall_timeout = stall_timeout
        self._kill_after = kill_after
        self._recycle_after = recycle_after
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ready = False
        self._log = places.search / "logs" / "server.log"
        self._workers: dict[int, _Worker] = {}
        self._dying: dict[int, _Worker] = {}
        self._count = 0
        self._deaths = 0
        """Deaths of servers, and of workers that never finished anything, since something was finished."""

    def start(self) -> None:
        """Start the server, which imports torch meanwhile."""
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs, open(self._log, "ab") as log:
                command = [sys.executable, "-P", "-m", "automl.worker.server", str(theirs.fileno()), str(os.getpid())]
                self._server = subprocess.Popen(
                    command,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=_environment(),
                )
        except OSError as error:
            raise _cannot_start(error) from error
        ours.send(json.dumps(self._settings).encode())
        self._control, self._ready = ours, False
        self._selector.register(ours, selectors.EVENT_READ, None)

    def idle(self) -> int:
        """Workers without an assignment."""
        return sum(1 for worker in self._workers.values() if worker.assignment is None)

    def submit(self, assignment: Assignment) -> None:
        """Send it to the idle worker that has worked longest, so that its caches are warm."""
        worker = min((w for w in self._workers.values() if w.assignment is None), key=lambda w: w.id)
        worker.assignment, worker.heard = assignment.id, self._clock()
        self._send(worker, "assignment", to_json(assignment))

    def answer(self, answer: Answer) -> None:
        """Pass the answer on; a member that has ended meanwhile needs none."""
        for worker in self._workers.values():
            if worker.assignment == answer.assignment:
                self._send(worker, "answer", to_json(answer))

    def wait(self, timeout: float) -> list[Event]:
        """Handle whatever came from workers and server."""
        events: list[Event] = []
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                events += self._hear_server()
            elif key.data.id in self._workers:
                events += self._hear(key.data)
        self._kill_the_silent()
        return events

    def cancel(self, assignment: str) -> None:
        """Kill the worker; the server's word of its death becomes a Lost event."""
        for worker in self._workers.values():
            if worker.assignment == assignment:
                _signal(worker, signal.SIGKILL)

    def stop(self) -> None:
        """Kill the server, and with it all workers."""
        for worker in [*self._workers.values(), *self._dying.values()]:
            self._forget(worker)
            _signal(worker, signal.SIGKILL)
        if self._control is not None:
            self._selector.unregister(self._control)
            self._control.close()
            self._control = None
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    # -- the server's word

    def _hear_server(self) -> list[Event]:
        assert self._control is not None
        try:
            message = self._control.recv(1 << 16)
        except ConnectionResetError:
            message = b""
        if not message:
            return self._server_died()
        word: dict[str, Any] = json.loads(message)
        if "ready" in word:
            self._ready = True
            for seat in self._seats:
                self._fork(seat)
        elif "forked" in word:
            if word["forked"] in self._workers:
                self._workers[word["forked"]].pid = word["pid"]
        elif "failed" in word:
            raise _cannot_start(OSError(word["failed"], os.strerror(word["failed"])))
        elif "died" in word:
            return self._buried(word["died"], word["status"])
        return []

    def _fork(self, seat: Seat) -> None:
        assert self._control is not None
        self._count += 1
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise _cannot_start(error) from error
        order = {"fork": self._count, "threads": seat.threads, "environment": seat.environment}
        try:
            with theirs:
                socket.send_fds(self._control, [json.dumps(order).encode()], [theirs.fileno()])
        except (BrokenPipeError, ConnectionResetError):
            ours.close()
            return  # the server has just died: it is heard of in a moment, and its successor forks all anew
        worker = _Worker(self._count, seat, Connection(ours.detach()))
        self._workers[worker.id] = worker
        self._selector.register(worker.connection, selectors.EVENT_READ, worker)

    def _buried(self, worker_id: int, status: int) -> list[Event]:
        worker = self._workers.get(worker_id) or self._dying.pop(worker_id, None)
        if worker is None:
            return []
        events = self._drain(worker)  # what it said before it died still counts
        self._forget(worker)
        if worker.assignment is None and not worker.done:
            self._count_death(_cause(status))
        self._fork(worker.seat)
        if worker.assignment is not None:
            events.append(Lost(worker.assignment, worker.verdict or _cause(status)))
        return events

    def _server_died(self) -> list[Event]:
        assert self._control is not None
        assert self._server is not None
        if not self._ready:
            tail = self._log.read_text(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise StorageError(f"cannot start workers: {tail[0]}.", hint=f"See {self._log}.")
        lost: list[Event] = []
        for worker in [*self._workers.values(), *self._dying.values()]:
            lost += self._drain(worker)
            if worker.assignment is not None:
                lost.append(Lost(worker.assignment, "the worker server died"))
            self._forget(worker)
        self._selector.unregister(self._control)
        self._control.close()
        self._server.wait()
        self._count_death("the worker server died")
        self.start()
        return lost

    def _count_death(self, cause: str) -> None:
        """Give up on a machine where workers die before they have done anything: replacing them would never end."""
        self._deaths += 1
        if self._deaths > _MOST_DEATHS:
            raise StorageError(f"workers die before they do anything: {cause}.", hint=f"See {self._log.parent}.")

    # -- a worker's word

    def _hear(self, worker: _Worker) -> list[Event]:
        try:
            message = json.loads(worker.connection.recv_bytes())
        except (EOFError, OSError):
            # Its end is closed: the server tells the cause in a moment.
            self._selector.unregister(worker.connection)
            self._dying[worker.id] = self._workers.pop(worker.id)
            return []
        worker.heard = self._clock()
        body = message["body"]
        if message["type"] == "report":
            return [Reported(Report(**body))]
        if message["type"] == "outcomes":
            return [self._ended(worker, tuple(outcome_from(item) for item in body))]
        if message["type"] == "gave-up":
            raise self._trouble(body)
        return []

    def _trouble(self, number: int) -> StorageError:
        folder = self._log.parent.parent
        if number in FULL:
            return disk_full(folder)
        if number in _TOO_MANY:
            return _cannot_start(OSError(number, os.strerror(number)))
        return StorageError(
            f"a worker cannot go on in {folder}: {os.strerror(number)}.", hint=f"See {self._log.parent}."
        )

    def _ended(self, worker: _Worker, outcomes: tuple[Any, ...]) -> Ended:
        assert worker.assignment is not None
        ended = Ended(worker.assignment, outcomes)
        worker.assignment = None
        worker.done += 1
        self._deaths = 0
        if worker.done >= self._recycle_after or any(outcome.recycle for outcome in outcomes):
            self._forget(worker)  # it ends at the closed pipe
            self._fork(worker.seat)
        return ended

    def _drain(self, worker: _Worker) -> list[Event]:
        events: list[Event] = []
        with contextlib.suppress(OSError):
            while worker.id in self._workers and worker.connection.poll(0):
                events += self._hear(worker)
        return events

    def _kill_the_silent(self) -> None:
        now = self._clock()
        for worker in self._workers.values():
            if worker.assignment is None:
                continue
            if now >= worker.kill_at:
                _signal(worker, signal.SIGKILL)
            elif now - worker.heard > self._stall_timeout and not worker.verdict:
                worker.verdict = f"no progress for {self._stall_timeout:g} s"
                worker.kill_at = now + self._kill_after
                _signal(worker, signal.SIGTERM)

    def _send(self, worker: _Worker, kind: str, body: str) -> None:
        # A worker that is gone is told of by the server; what was meant for it is void.
        with contextlib.suppress(OSError):
            worker.connection.send_bytes(f'{{"type":"{kind}","body":{body}}}'.encode())

    def _forget(self, worker: _Worker) -> None:
        if self._workers.pop(worker.id, None) is not None:
            self._selector.unregister(worker.connection)
        self._dying.pop(worker.id, None)
        worker.connection.close()


def _signal(worker: _Worker, number: signal.Signals) -> None:
    if worker.pid is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, number)


def _environment() -> dict[str, str]:
    """One thread while importing; the worker sets its own number. Hash seeds are fixed so that runs repeat."""
    return {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}


def _cause(status: int) -> str:
    if status < 0:
        name = signal.Signals(-status).name
        likely = ", likely out of memory" if status == -signal.SIGKILL else ""
        return f"killed by signal {-status} ({name}){likely}"
    return f"exited without a result (code {status})"


def _cannot_start(error: OSError) -> StorageError:
    reason, hint = (error.strerror or str(error)).lower(), ""
    if error.errno in _TOO_MANY:
        limit, flag, enough = _TOO_MANY[error.errno]
        reason = f"{reason} (limit {resource.getrlimit(limit)[0]})"
        hint = f"Raise the limit: ulimit -{flag} {enough}"
    return StorageError(f"cannot start worker: {reason}.", hint=hint)


_TOO_MANY = {
    errno.EMFILE: (resource.RLIMIT_NOFILE, "n", 1024),
    errno.EAGAIN: (resource.RLIMIT_NPROC, "u", 4096),
}
"""Error -> the limit behind it, its flag in `ulimit`, and a number that will do."""
