"""Workers on this machine: forked from a server that holds Lightning, one per seat, replaced when they die."""

from __future__ import annotations

import contextlib
import selectors
import signal
import time
from collections.abc import Callable
from typing import Any

from automl.errors import StorageError
from automl.executors.base import Ended, Event, Lost, Reported
from automl.executors.devices import Seat
from automl.executors.troubles import cannot_go_on, cause_of_death
from automl.executors.worker_process import WorkerProcess
from automl.executors.worker_server import WorkerServer
from automl.messages import Answer, Assignment, Report, outcome_from
from automl.worker.perform import Places

_PRELOAD = ("automl.worker.preload",)
_PERFORM = "automl.worker.perform:perform"
_MOST_DEATHS = 10


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
        self._server: WorkerServer | None = None
        self._log = places.search / "logs" / "server.log"
        self._workers: dict[int, WorkerProcess] = {}
        self._dying: dict[int, WorkerProcess] = {}
        self._count = 0
        self._deaths = 0
        """Deaths of servers, and of workers that never finished anything, since something was finished."""

    def start(self) -> None:
        """Start the server, which imports torch meanwhile."""
        self._server = WorkerServer(self._settings, self._log)
        self._selector.register(self._server, selectors.EVENT_READ, None)

    def idle(self) -> int:
        """Workers without an assignment."""
        return sum(1 for worker in self._workers.values() if worker.assignment is None)

    def submit(self, assignment: Assignment) -> None:
        """Send it to the idle worker that has worked longest, so that its caches are warm."""
        worker = min((w for w in self._workers.values() if w.assignment is None), key=lambda w: w.id)
        worker.assign(assignment, self._clock())

    def answer(self, answer: Answer) -> None:
        """Pass the answer on; a member that has ended meanwhile needs none."""
        for worker in self._workers.values():
            if worker.assignment == answer.assignment:
                worker.answer(answer)

    def wait(self, timeout: float) -> list[Event]:
        """Handle whatever came from workers and server."""
        events: list[Event] = []
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                events += self._hear_server()
            elif key.data.id in self._workers:
                events += self._hear(key.data)
        now = self._clock()
        for worker in self._workers.values():
            worker.end_if_silent(now, self._stall_timeout, self._kill_after)
        return events

    def cancel(self, assignment: str) -> None:
        """Kill the worker; the server's word of its death becomes a Lost event."""
        for worker in self._workers.values():
            if worker.assignment == assignment:
                worker.signal(signal.SIGKILL)

    def stop(self) -> None:
        """Kill the server, and with it all workers."""
        for worker in [*self._workers.values(), *self._dying.values()]:
            self._forget(worker)
            worker.signal(signal.SIGKILL)
        self._close_server()

    # -- the server's word

    def _hear_server(self) -> list[Event]:
        assert self._server is not None
        word = self._server.hear()
        if word is None:
            return self._server_died(is_ready=self._server.is_ready)
        if "ready" in word:
            for seat in self._seats:
                self._fork(seat)
        elif "forked" in word:
            if word["forked"] in self._workers:
                self._workers[word["forked"]].pid = word["pid"]
        elif "died" in word:
            return self._buried(word["died"], word["status"])
        return []

    def _fork(self, seat: Seat) -> None:
        assert self._server is not None
        self._count += 1
        connection = self._server.fork(self._count, seat)
        if connection is None:
            return  # the successor of the server that died forks all anew
        worker = WorkerProcess(self._count, seat, connection)
        self._workers[worker.id] = worker
        self._selector.register(worker.connection, selectors.EVENT_READ, worker)

    def _buried(self, worker_id: int, status: int) -> list[Event]:
        worker = self._workers.get(worker_id) or self._dying.pop(worker_id, None)
        if worker is None:
            return []
        events = self._drain(worker)  # what it said before it died still counts
        self._forget(worker)
        if worker.assignment is None and not worker.done:
            self._count_death(cause_of_death(status))
        self._fork(worker.seat)
        if worker.assignment is not None:
            events.append(Lost(worker.assignment, worker.verdict or cause_of_death(status)))
        return events

    def _server_died(self, *, is_ready: bool) -> list[Event]:
        if not is_ready:
            tail = self._log.read_text(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise StorageError(f"cannot start workers: {tail[0]}.", hint=f"See {self._log}.")
        lost: list[Event] = []
        for worker in [*self._workers.values(), *self._dying.values()]:
            lost += self._drain(worker)
            if worker.assignment is not None:
                lost.append(Lost(worker.assignment, "the worker server died"))
            self._forget(worker)
        self._close_server()
        self._count_death("the worker server died")
        self.start()
        return lost

    def _close_server(self) -> None:
        if self._server is not None:
            self._selector.unregister(self._server)
            self._server.close()
            self._server = None

    def _count_death(self, cause: str) -> None:
        """Give up on a machine where workers die before they have done anything: replacing them would never end."""
        self._deaths += 1
        if self._deaths > _MOST_DEATHS:
            raise StorageError(f"workers die before they do anything: {cause}.", hint=f"See {self._log.parent}.")

    # -- a worker's word

    def _hear(self, worker: WorkerProcess) -> list[Event]:
        message = worker.hear(self._clock())
        if message is None:
            # Its end is closed: the server tells the cause in a moment.
            self._selector.unregister(worker.connection)
            self._dying[worker.id] = self._workers.pop(worker.id)
            return []
        body = message["body"]
        if message["type"] == "report":
            return [Reported(Report(**body))]
        if message["type"] == "outcomes":
            return [self._ended(worker, tuple(outcome_from(item) for item in body))]
        if message["type"] == "gave-up":
            raise cannot_go_on(body, self._log.parent)
        return []

    def _ended(self, worker: WorkerProcess, outcomes: tuple[Any, ...]) -> Ended:
        assert worker.assignment is not None
        ended = Ended(worker.assignment, outcomes)
        worker.assignment = None
        worker.done += 1
        self._deaths = 0
        if worker.done >= self._recycle_after or any(outcome.recycle for outcome in outcomes):
            self._forget(worker)  # it ends at the closed pipe
            self._fork(worker.seat)
        return ended

    def _drain(self, worker: WorkerProcess) -> list[Event]:
        events: list[Event] = []
        with contextlib.suppress(OSError):
            while worker.id in self._workers and worker.has_more():
                events += self._hear(worker)
        return events

    def _forget(self, worker: WorkerProcess) -> None:
        if self._workers.pop(worker.id, None) is not None:
            self._selector.unregister(worker.connection)
        self._dying.pop(worker.id, None)
        worker.connection.close()
