"""What people see while a search runs: one live line block in a terminal, plain lines elsewhere. Always on stderr."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from automl.cli.output import clean, number
from automl.coordinator.events import (
    Advanced,
    Began,
    Closed,
    Observer,
    PhaseBegan,
    Placed,
    Resumed,
    Said,
    SearchEvent,
    silent,
)

_PLAIN_SECONDS = 5.0
"""Between two progress lines where no terminal redraws them."""
_PHASES = {"start": "starting workers, reading data", "search": "searching", "confirm": "confirming on fresh seeds",
           "export": "refitting, scoring, exporting", "report": "writing the report", "sync": "bringing MLflow into step"}  # fmt: skip


@contextmanager
def live_view(*, quiet: bool) -> Iterator[Observer]:
    """Yield an observer that shows a search; `quiet` shows nothing."""
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        with _TerminalView() as view:
            yield view
    else:
        yield _PlainView()


class _Tally:
    """Counts that both views show."""

    def __init__(self) -> None:
        self.slots: int | None = None
        self.states = {"complete": 0, "pruned": 0, "failed": 0}
        self._pick: Callable[[float, float], float] = max
        self._best: float | None = None
        self._done_before = 0

    def take(self, event: SearchEvent) -> str | None:
        """Count an event; returns a line that must be shown, if any."""
        match event:
            case Began(_, _, direction, slots):
                self.slots = slots
                self._pick = max if direction == "maximize" else min
            case PhaseBegan(name):
                return _PHASES[name]
            case Resumed(done, requeued):
                self._done_before = done
                return f"resumed: {done}{f' of {self.slots}' if self.slots else ''} done, {requeued} requeued"
            case Said(text, level):
                return f"warning: {text}" if level == "warning" else text
            case Closed(attempt, retry) if attempt.state == "lost":
                self.states["failed"] += not retry
                then = f"retry {attempt.attempt + 1}" if retry else "given up"
                return f"{attempt.kind} {attempt.slot} lost ({attempt.reason}), {then}"
            case Closed(attempt, _) if attempt.kind == "trial" and attempt.final:
                self.states[attempt.state] += 1
                if attempt.state == "complete" and attempt.value is not None:
                    self._best = attempt.value if self._best is None else self._pick(self._best, attempt.value)
                if attempt.state == "failed":
                    return f"trial {attempt.slot} ({attempt.family}) failed: {attempt.reason}"
        return None

    @property
    def done(self) -> int:
        """Slots that are final."""
        return self._done_before + sum(self.states.values())

    def line(self) -> str:
        """Return the counts as text."""
        of = f"/{self.slots}" if self.slots else ""
        failed = f", {self.states['failed']} failed" if self.states["failed"] else ""
        return f"{self.done}{of} slots, {self.states['pruned']} pruned{failed}, best {number(self._best)}"


class _PlainView:
    """Lines for logs: phases, warnings, and the counts now and then."""

    def __init__(self) -> None:
        self._tally = _Tally()
        self._shown = time.monotonic()

    def __call__(self, event: SearchEvent) -> None:
        line = self._tally.take(event)
        if line is None and isinstance(event, Closed) and time.monotonic() - self._shown > _PLAIN_SECONDS:
            line = self._tally.line()
        if line is not None:
            self._shown = time.monotonic()
            with contextlib.suppress(OSError):
                print(clean(line), file=sys.stderr, flush=True)


class _TerminalView:
    """A bar for the budget and a line per running member, drawn by rich ten times a second."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._tally = _Tally()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._budget = self._progress.add_task("starting", total=None, text="")
        self._members: dict[str, Any] = {}

    def __enter__(self) -> _TerminalView:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._progress.stop()

    def __call__(self, event: SearchEvent) -> None:
        with contextlib.suppress(OSError):
            self._show(event)

    def _show(self, event: SearchEvent) -> None:
        line = self._tally.take(event)
        match event:
            case PhaseBegan(name):
                self._progress.update(self._budget, description=_PHASES[name])
                line = None
            case Placed(attempt, steps):
                text = f"{attempt.kind} {attempt.slot}"
                self._members[attempt.key] = self._progress.add_task(f"  {attempt.family}", total=steps, text=text)
            case Advanced(attempt, step, value) if attempt.key in self._members:
                text = f"{attempt.kind} {attempt.slot}: {number(value)}"
                self._progress.update(self._members[attempt.key], completed=step, text=text)
            case Closed(attempt, _) if attempt.key in self._members:
                self._progress.remove_task(self._members.pop(attempt.key))
        self._progress.update(
            self._budget, total=self._tally.slots, completed=self._tally.done, text=self._tally.line()
        )
        if line is not None:
            self._progress.console.print(clean(line), markup=False, highlight=False)
