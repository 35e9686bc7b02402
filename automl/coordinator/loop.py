"""The coordinator: the one process that decides and writes. Its loop is the story of every piece of work.

propose ─ commit ─ place ─ report/answer ─ commit ─ learn. The ledger hears of each step before anyone else does.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from automl.coordinator.decision import Decision
from automl.coordinator.events import Advanced, Closed, Observer, Placed, silent
from automl.coordinator.reconcile import adopt
from automl.errors import Stopped
from automl.executors.base import Ended, Executor, Lost, Reported
from automl.ledger import Attempt, Ledger
from automl.messages import AT_ONCE, Answer, Kind, Outcome, Report

_TURN = 0.1
"""Longest wait for events, in seconds: how fast a stop or a deadline is noticed."""
_GRACE = 6.0
"""Seconds that a worker has to end once it is told to; then it is killed, so that Ctrl-C takes at most ten."""


class Postman(Protocol):
    """Carries the outbox to the views, a little at a time."""

    def turn(self, *, urgent: bool) -> None:
        """Do a little work without blocking; `urgent` says that workers wait for the coordinator."""


@dataclass
class StopRequest:
    """A person's or the system's wish to end; set by a signal handler, read by the loop."""

    exit_code: int = 0
    tidy: bool = False
    """True while the loop runs and will see the request; elsewhere a signal ends at once."""


class Coordinator:
    """Carries out decisions on an executor, one after another, with one ledger."""

    def __init__(
        self,
        ledger: Ledger,
        executor: Executor,
        results: Path,
        *,
        max_attempts: int = 3,
        observer: Observer = silent,
        postmen: tuple[Postman, ...] = (),
        stop: StopRequest | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._executor = executor
        self._results = results
        self._max_attempts = max_attempts
        self._observer = observer
        self._postmen = postmen
        self._stop = stop or StopRequest()
        self._open: dict[str, Attempt] = {}
        self._again: list[Attempt] = []
        self._deaths: Counter[tuple[str, int, int]] = Counter()
        """Of workers, in this run: what killed those of an earlier one may have been cured."""
        self._clock = clock
        self._interrupted: dict[str, float] = {}
        """Attempt -> when it was told to end."""

    def carry_out(self, decision: Decision, *kinds: Kind) -> None:
        """Run a decision over work of these kinds to its end. Raises Stopped after a signal, and what the decision raises."""
        stored = [attempt for kind in kinds for attempt in self._ledger.attempts(kind=kind)]
        self._again = decision.recall(stored)
        self._stop.tidy = True
        try:
            self._loop(decision)
        finally:
            self._stop.tidy = False
        if self._stop.exit_code:
            raise Stopped("stopped.", exit_code=self._stop.exit_code)

    def _loop(self, decision: Decision) -> None:
        while True:
            self._place(decision)
            if not self._open and not self._more(decision):
                break
            events = self._executor.wait(_TURN)
            for event in events:
                match event:
                    case Reported(report):
                        self._on_report(decision, report)
                    case Ended(key, outcomes):
                        self._on_outcome(decision, key, outcomes[0])
                    case Lost(key, reason):
                        self._on_lost(decision, key, reason)
            if self._stop.exit_code:
                self._end_all("interrupt")
            elif decision.out_of_time():
                self._end_all("finish" if decision.takes_what_there_is() else "interrupt")
            for postman in self._postmen:
                postman.turn(urgent=bool(events))

    def _place(self, decision: Decision) -> None:
        while self._executor.idle() and not self._stop.exit_code:
            if (attempt := self._next(decision)) is None:
                return
            # Committed before it leaves: a crash from here on finds the attempt open, and tries the same point again.
            attempt = self._ledger.open_attempt(attempt)
            assignment = decision.assignment(attempt)
            self._open[attempt.key] = attempt
            self._executor.submit(assignment)
            self._observer(Placed(attempt, assignment.max_resource))

    def _next(self, decision: Decision) -> Attempt | None:
        if self._again and not decision.out_of_time():
            return decision.again(self._again.pop(0))
        return decision.next()

    def _more(self, decision: Decision) -> bool:
        """True when work waits only for a worker to come up."""
        if self._stop.exit_code or self._executor.idle():
            return False
        return decision.has_more() or (bool(self._again) and not decision.out_of_time())

    def _on_report(self, decision: Decision, report: Report) -> None:
        attempt = self._open.get(report.assignment)
        if attempt is None:
            return
        stop = decision.on_report(attempt, report)
        if attempt.key not in self._interrupted:
            answer = Answer(report.assignment, report.member, report.step, "stop" if stop else "go")
            self._executor.answer(answer)
        self._observer(Advanced(attempt, report.step, report.values["objective"]))

    def _on_outcome(self, decision: Decision, key: str, outcome: Outcome) -> None:
        attempt = self._open.pop(key, None)
        if attempt is None:
            return  # an answer for an attempt that is closed already
        closed = self._ledger.close_attempt(attempt, outcome, marks=decision.marks(attempt))
        if closed.state != "interrupted":
            decision.on_closed(closed, outcome)
        self._observer(Closed(closed, retry=False))

    def _on_lost(self, decision: Decision, key: str, reason: str) -> None:
        attempt = self._open.get(key)
        if attempt is None:
            return
        if (outcome := adopt(attempt, self._results)) is not None:
            self._on_outcome(decision, key, outcome)
            return
        del self._open[key]
        if key in self._interrupted:
            ended = self._ledger.close_attempt(attempt, Outcome(key, 0, "interrupted", reason="stopped"))
            self._observer(Closed(ended, retry=False))
            return
        self._deaths[attempt.work] += 1
        spent = self._deaths[attempt.work] >= self._max_attempts
        lost = Outcome(key, 0, "lost", reason=reason)
        closed = self._ledger.close_attempt(attempt, lost, spent=spent)
        if spent:
            decision.on_closed(closed, lost)
        else:
            self._again.append(closed)
        self._observer(Closed(closed, retry=not spent))

    def _end_all(self, act: Literal["interrupt", "finish"]) -> None:
        now = self._clock()
        for key in self._open:
            if key not in self._interrupted:
                self._interrupted[key] = now
                self._executor.answer(Answer(key, 0, AT_ONCE, act))
            elif now - self._interrupted[key] > _GRACE:
                self._executor.cancel(key)
