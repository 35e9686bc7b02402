"""One worker as a thread of the coordinator's process, for tests and debugging. Imports torch here; cannot survive a crash."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from automl.executors.base import Ended, Event, Lost, Reported
from automl.messages import AT_ONCE, Answer, Assignment, Outcome, Report
from automl.worker.perform import Channel, Places

Perform = Callable[[Assignment, Channel, Places], tuple[Outcome, ...]]


class InlineExecutor:
    """Runs one assignment at a time; `perform` is a seam for tests that need no torch."""

    def __init__(self, places: Places, perform: Perform | None = None) -> None:
        self._places = places
        self._perform = perform
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._busy: str | None = None
        self._channel = _ThreadChannel(self._events)

    def start(self) -> None:
        """Import what the default worker needs, so that the first assignment does not pay for it."""
        if self._perform is None:
            from automl.worker.perform import perform

            self._perform = perform

    def idle(self) -> int:
        """One when no assignment runs."""
        return 0 if self._busy else 1

    def submit(self, assignment: Assignment) -> None:
        """Start the assignment in a thread."""
        self._busy = assignment.id
        self._channel = _ThreadChannel(self._events)
        threading.Thread(target=self._run, args=(assignment, self._channel), daemon=True).start()

    def answer(self, answer: Answer) -> None:
        """Pass the answer to the running assignment."""
        if answer.assignment == self._busy:
            self._channel.answers.put(answer)

    def wait(self, timeout: float) -> list[Event]:
        """Return at most one event."""
        try:
            event = self._events.get(timeout=timeout)
        except queue.Empty:
            return []
        if isinstance(event, Ended | Lost):
            self._busy = None
        return [event]

    def cancel(self, assignment: str) -> None:
        """A thread cannot be killed: it is told to stop at its next report."""
        if assignment == self._busy:
            self._channel.answers.put(Answer(assignment, 0, AT_ONCE, "interrupt"))

    def stop(self) -> None:
        """Nothing to end: the thread dies with the process."""

    def _run(self, assignment: Assignment, channel: _ThreadChannel) -> None:
        assert self._perform is not None
        try:
            self._events.put(Ended(assignment.id, self._perform(assignment, channel, self._places)))
        except BaseException as error:
            self._events.put(Lost(assignment.id, f"exited without a result ({type(error).__name__}: {error})"))


class _ThreadChannel:
    """A channel over queues, with the meaning of the worker's pipe."""

    def __init__(self, events: queue.SimpleQueue[Event]) -> None:
        self._events = events
        self.answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._reported = 0
        self._answered = 0

    def report(self, report: Report) -> None:
        self._reported = report.step
        self._events.put(Reported(report))

    def answer(self, *, wait: bool) -> Answer | None:
        newest = None
        while not self.answers.empty() or (wait and self._answered < self._reported):
            newest = self.answers.get()
            self._answered = newest.step
        return newest

    def tick(self) -> None:
        time.sleep(0)
