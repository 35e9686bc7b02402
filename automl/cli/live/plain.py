"""Lines for logs: a phase, a new best, a loss, a warning, and the counts now and then. No escape codes, no redrawing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from automl.cli.live.draw import about, duration
from automl.cli.live.tally import Line, Tally
from automl.cli.output import print_note
from automl.coordinator.events import SearchEvent

_HEARTBEAT = 15.0
"""Seconds without a line after which the next event brings the counts."""
_WIDTH = 100
"""Cells of a line about a new best, whose parameters may be many."""
_BETWEEN_BESTS = 2.0
"""Seconds between two lines about a new best: at the start each trial is one, and a log wants the last of them."""


class PlainView:
    """Prints a line where something happened; safe to call with a closed stream."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, stream: TextIO | None = None) -> None:
        self._clock = clock
        self._stream = stream
        self._tally = Tally(clock)
        self._shown = clock()
        self._best_shown = clock() - _BETWEEN_BESTS
        self._waiting: Line | None = None
        """A new best that came too soon after the one before."""

    def __enter__(self) -> PlainView:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self._tally.done:
            self._print(self._tally.counts())

    def __call__(self, event: SearchEvent) -> None:
        """Show an event, if it deserves a line."""
        line = self._tally.take(event)
        if line is not None and line.kind == "best":
            self._waiting = line
        elif line is not None:
            self._print_best()
            self._print(line.text)
        if self._clock() - self._best_shown >= _BETWEEN_BESTS:
            self._print_best()
        if self._clock() - self._shown >= _HEARTBEAT:
            self._print(self._heartbeat())

    def _heartbeat(self) -> str:
        left = f", {about(self._tally.left)} left" if self._tally.left is not None else ""
        behind = f", MLflow {self._tally.pending} behind" if self._tally.pending else ""
        return f"{duration(self._tally.elapsed)} {self._tally.counts()}{left}{behind}"

    def _print_best(self) -> None:
        if self._waiting is not None:
            text = self._waiting.text
            self._print(text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}...")
            self._waiting, self._best_shown = None, self._clock()

    def _print(self, text: str) -> None:
        self._shown = self._clock()
        print_note(text, self._stream or sys.stderr)
