"""Between the ledger's outbox and a carrier's pipe: offers what is unsent, records what was acknowledged. Never blocks a search."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from automl.ledger import Header, Ledger
from automl.tracking.records import record

_PAUSE = 0.25
"""Seconds between two looks at the outbox while workers keep the coordinator busy."""
_MOST_RESTARTS = 3
_QUESTION = 0
"""Id of what is no row."""
_IN_FLIGHT = 100
"""Most records that a carrier holds unacknowledged."""
_SIGN_OF_LIFE = 0.05
"""Seconds of processor time by which a carrier shows that it works, though it has not answered: a busy machine is slow."""
_LONGEST = 60.0
"""Seconds without an answer after which signs of life no longer count."""


class Link(Protocol):
    """A carrier process, as `link.CarrierLink` offers it."""

    @property
    def connection(self) -> object | None:
        """None when the process has died."""

    def start(self) -> None:
        """Start the process again; it is handed everything unacknowledged."""

    def offer(self, records: list[dict[str, Any]]) -> None:
        """Hand records over."""

    def hurry(self) -> None:
        """Let the process no longer give way to others."""

    def worked(self) -> float:
        """Return the seconds of processor time that the process has used."""

    def receive(self) -> list[Any]:
        """Return acknowledgements: `sent` (ids), `trouble` and `answers`."""


class _Silence:
    """How long a carrier has neither answered nor worked."""

    def __init__(self, link: Link, patience: float, clock: Callable[[], float]) -> None:
        self._link, self._patience, self._clock = link, patience, clock
        self.broken()

    def broken(self) -> None:
        """Take an answer."""
        self._answered = self._alive = self._clock()
        self._worked = self._link.worked()

    def is_too_long(self) -> bool:
        """Whether there is no hope left."""
        now, worked = self._clock(), self._link.worked()
        if worked - self._worked >= _SIGN_OF_LIFE:
            self._alive, self._worked = now, worked
        return now - self._alive >= self._patience or now - self._answered >= max(_LONGEST, self._patience)


class Postman:
    """Serves one view. The coordinator's process alone writes to the ledger, so acknowledgements come back to it."""

    def __init__(
        self,
        ledger: Ledger,
        view: str,
        link: Link,
        warn: Callable[[str], None] = lambda text: None,
        lag: Callable[[str, int], None] = lambda view, pending: None,
        clock: Callable[[], float] = time.monotonic,
        *,
        is_new: bool = False,
    ) -> None:
        self.view = view
        self.is_new = is_new
        """True where there was nothing at the view's address before its carrier came."""
        self._ledger = ledger
        self._link = link
        self._warn = warn
        self._lag = lag
        self._told = 0
        """The lag that was told last."""
        self._clock = clock
        self._header: Header | None = None
        self._offered = 0
        """Highest row id handed over."""
        self._in_flight = 0
        self._looked = 0.0
        self._troubled = False
        self._restarts = 0
        self._answers: dict[str, Any] = {}

    def turn(self, *, urgent: bool) -> None:
        """Take acknowledgements and hand over some records; with `urgent` only now and then."""
        now = self._clock()
        if now - self._looked < (4 * _PAUSE if urgent else _PAUSE):
            return
        self._looked = now
        self._receive()
        if self._link.connection is None and self._restarts < _MOST_RESTARTS:
            self._restarts += 1
            self._link.start()
        if self._in_flight < _IN_FLIGHT // 2:
            self._offer()
        self._tell_lag(self.pending())

    def pending(self) -> int:
        """How many messages the view does not have yet."""
        return self._ledger.count_unsent(self.view)

    def ask(self, topic: str, **question: Any) -> None:
        """Put a question to the view, ahead of all records; it is no row of the outbox and dies with this process."""
        self._link.offer([{"id": _QUESTION, "topic": topic, **question}])

    def answer(self, topic: str, patience: float = 0.0) -> Any:
        """Return what the view answered to that topic, waiting while it is silent for less than `patience` seconds; else None."""
        self._receive()
        if patience and topic not in self._answers:
            self._link.hurry()
        silence = _Silence(self._link, patience, self._clock)
        while topic not in self._answers and not self._troubled and not silence.is_too_long():
            time.sleep(0.01)
            self._receive()
        return self._answers.get(topic)

    def drain(self, patience: float = 10.0, most: float | None = None) -> int:
        """Work until the view is in step, reports trouble, or is silent for `patience` seconds; returns what is pending.

        `most` seconds are worked in all, where it is given.
        """
        self._header = None  # the end of the search changed it
        began = self._clock()
        self._link.hurry()
        silence = _Silence(self._link, patience, self._clock)
        while (pending := self.pending()) and not self._troubled and not silence.is_too_long():
            if most is not None and self._clock() - began >= most:
                break
            self._tell_lag(pending)
            before = self._in_flight
            self._receive()
            if self._in_flight < before:
                silence.broken()
            if self._in_flight < _IN_FLIGHT // 2:
                self._offer()
            time.sleep(0.01)
        self._tell_lag(pending)
        return pending

    def _tell_lag(self, pending: int) -> None:
        if pending != self._told:
            self._told = pending
            self._lag(self.view, pending)

    def _receive(self) -> None:
        for ack in self._link.receive():
            rows = [number for number in ack.sent if number != _QUESTION]
            self._ledger.mark_sent(rows)
            self._in_flight -= len(rows)
            self._answers |= ack.answers
            if ack.sent:
                self._troubled = False
            if ack.trouble:
                self._troubled = self._troubled or not ack.sent
                self._warn(ack.trouble)

    def _offer(self) -> None:
        rows = self._ledger.unsent(self.view, after=self._offered, limit=_IN_FLIGHT - self._in_flight)
        if not rows:
            return
        if self._header is None or rows[-1][1] == "end":
            self._header = self._ledger.header()
        assert self._header is not None
        closed_ms = self._ledger.last_closed_ms() if any(topic in ("end", "export") for _, topic, _ in rows) else 0
        self._link.offer([record(self._header, self.view, *row, closed_ms=closed_ms) for row in rows])
        self._offered = rows[-1][0]
        self._in_flight += len(rows)
