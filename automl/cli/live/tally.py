"""What is known of a running search, from its events alone: no terminal, no layout. A clock is handed in."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from automl.cli.live.notable import Notable
from automl.cli.live.pace import Pace
from automl.cli.output import clean, number
from automl.coordinator.events import (
    Advanced,
    Began,
    Closed,
    Lagging,
    PhaseBegan,
    Placed,
    Planned,
    Resumed,
    Said,
    SearchEvent,
)
from automl.direction import is_better
from automl.ledger import Attempt

PHASES = {
    "start": "starting workers, reading data",
    "search": "searching",
    "confirm": "confirming on fresh seeds",
    "export": "refitting, scoring, exporting",
    "report": "writing the report",
    "sync": "bringing MLflow into step",
}
_ASIDE = {
    "": "choosing what is exported",
    "refit": "preparing the export",
    "export": "asking MLflow for the champion",
    "score": "weighing the test, verifying the model apart",
}
"""What the command itself does between two works of the phase `export`, by the one that ended last."""
_SAID_FAILURES = 3
"""Failures of one kind that get a line each; the others are counted."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened and deserves a line of its own."""

    text: str
    kind: Literal["phase", "best", "note", "warning"]


@dataclass(slots=True)
class Row:
    """What one worker does now."""

    attempt: Attempt
    max_steps: int
    step: int = 0
    value: float | None = None


class Tally:
    """Counts, best, speed and workers of one search. `take` each event; read the rest."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._phase_began = clock()
        self.search = self.metric = ""
        self.direction = "maximize"
        self.slots: int | None = None
        self.seconds: float | None = None
        self.phase = "start"
        self.planned: int | None = None
        """Assignments of this phase, where they were announced."""
        self.states = {"complete": 0, "pruned": 0, "failed": 0}
        self.retried = 0
        self.best: Attempt | None = None
        self.bests: list[float] = []
        """The best value after each complete trial."""
        self.rows: list[Row | None] = []
        """A place per worker; None where it waits. A place is taken again, so that no line jumps."""
        self._ended = ""
        """The kind of work of this phase that ended last, of those that others wait for."""
        self.pending = 0
        """Messages that MLflow does not have yet."""
        self.stopping = False
        self.pace = Pace(clock)
        self.notable = Notable()
        self._failures: Counter[str] = Counter()

    def take(self, event: SearchEvent) -> Line | None:
        """Learn an event; returns what deserves a line, if anything."""
        match event:
            case Began(search, metric, direction, slots, seconds):
                self.search, self.metric, self.direction = search, metric, direction
                self.slots, self.seconds = slots, seconds
            case PhaseBegan(name):
                return self._begin(name)
            case Resumed(done, requeued):
                for attempt in done:
                    self._count(attempt)
                of = f" of {self.slots}" if self.slots else ""
                return Line(f"resumed: {len(done)}{of} done, {requeued} requeued", "note")
            case Planned(count):
                self.planned = self.pace.ends + count  # seeds are added while the leader leads
            case Placed(attempt, max_steps):
                self._place(Row(attempt, max_steps))
            case Advanced(attempt, step, value):
                if (row := self._row(attempt)) is not None:
                    row.step, row.value = step, value
            case Closed(attempt, retry):
                return self._close(attempt, retry)
            case Lagging(view, pending):
                self.pending = pending if view == "mlflow" else self.pending
            case Said(text, level):
                self.stopping = self.stopping or level == "stopping"
                return Line(f"warning: {text}", "warning") if level == "warning" else Line(text, "note")
        return None

    @property
    def done(self) -> int:
        """Slots that are final."""
        return sum(self.states.values())

    @property
    def aside(self) -> str:
        """What the command does itself while no worker has work; empty where that is not known."""
        return "" if self.phase != "export" or any(self.rows) else _ASIDE[self._ended]

    @property
    def elapsed(self) -> float:
        """Seconds since the first event could arrive: since the command began, but for its imports."""
        return self._clock() - self._began

    @property
    def left(self) -> float | None:
        """Seconds that this phase still takes at the speed of late, or None while that is unknown."""
        if self.phase == "search" and self.slots is not None:
            return self.pace.seconds_for(max(0, self.slots - self.done))
        if self.planned is not None:
            return self.pace.seconds_for(max(0, self.planned - self.pace.ends))
        return None

    @property
    def time_left(self) -> float | None:
        """Seconds until the wall time that a person set for the whole command is over."""
        return None if self.seconds is None else max(0.0, self.seconds - self.elapsed)

    def counts(self) -> str:
        """Return the counts as text."""
        of = f"/{self.slots}" if self.slots else ""
        failed = f", {self.states['failed']} failed" if self.states["failed"] else ""
        best = f", best {number(self.best.value)}" if self.best is not None else ""
        return f"{self.done}{of} slots, {self.states['pruned']} pruned{failed}{best}"

    def is_better(self, value: float, than: float) -> bool:
        """Whether a value beats another in the search's direction."""
        return is_better(value, than, self.direction)

    def _begin(self, name: str) -> Line:
        self.phase, self.planned, self.rows, self.pace = name, None, [], Pace(self._clock)
        self._ended = ""
        about = PHASES.get(name, name)
        if name == "search":
            goal = f"{self.slots} slots" if self.slots else "until the time is over"
            return Line(f"{self.search}: searching {goal}, {self.direction[:-1]}ing {self.metric}", "phase")
        return Line(f"{about} ({self.counts()})" if name == "confirm" else about, "phase")

    def _place(self, row: Row) -> None:
        self.notable.learn(row.attempt.family, row.attempt.params)
        if None in self.rows:
            self.rows[self.rows.index(None)] = row
        else:
            self.rows.append(row)

    def _row(self, attempt: Attempt) -> Row | None:
        return next((row for row in self.rows if row is not None and row.attempt.key == attempt.key), None)

    def _close(self, attempt: Attempt, retry: bool) -> Line | None:
        if (row := self._row(attempt)) is not None:
            self.rows[self.rows.index(row)] = None
        self._ended = attempt.kind if attempt.kind in _ASIDE else self._ended
        if not retry and attempt.state != "interrupted":
            self.pace.end()
        before = self.best
        if attempt.kind == "trial" and attempt.final:
            self._count(attempt)
        if attempt.state == "lost":
            self.retried += retry
            then = f"retry {attempt.attempt + 1}" if retry else "given up"
            return Line(f"{_named(attempt)} lost ({attempt.reason}), {then}", "warning")
        if attempt.state == "failed":
            return self._failure(attempt)
        if self.best is not before and self.best is not None:
            of = f"{self.done}/{self.slots}" if self.slots else f"slot {self.done}"
            return Line(f"{of}: best {self.metric} {number(self.best.value)}, {self.describe(self.best)}", "best")
        return None

    def describe(self, attempt: Attempt) -> str:
        """Return `cnn slot 12: adamw lr=0.01 ...`."""
        return f"{clean(attempt.family)} slot {attempt.slot}: {self.notable.words(attempt.family, attempt.params)}"

    def _count(self, attempt: Attempt) -> None:
        self.states["failed" if attempt.state == "lost" else attempt.state] += 1
        if attempt.state != "complete" or attempt.value is None:
            return
        if self.best is None or self.best.value is None or self.is_better(attempt.value, self.best.value):
            self.best = attempt
        assert self.best.value is not None
        self.bests.append(self.best.value)

    def _failure(self, attempt: Attempt) -> Line | None:
        self._failures[attempt.reason] += 1
        if self._failures[attempt.reason] > _SAID_FAILURES:
            return None
        more = "; more of these are only counted" if self._failures[attempt.reason] == _SAID_FAILURES else ""
        family = f" ({attempt.family})" if attempt.family else ""
        return Line(f"{_named(attempt)}{family} failed: {attempt.reason}{more}", "warning")


def _named(attempt: Attempt) -> str:
    return attempt.kind if attempt.kind == "baselines" else f"{attempt.kind} {attempt.slot}"
