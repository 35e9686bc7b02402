"""How long each phase of a search took. Decides nothing; tells the observer when a phase begins."""

from __future__ import annotations

import time

from automl.coordinator.events import Observer, PhaseBegan


class Phases:
    """How long each phase took, in seconds of a clock that nobody sets."""

    def __init__(self, observer: Observer, started: float | None = None) -> None:
        """`started`: when the command began, by `time.monotonic`; now, when left out."""
        self.started = time.monotonic() if started is None else started
        self.seconds: dict[str, float] = {}
        self._observer = observer
        self._name, self._began = "", self.started

    def begin(self, name: str) -> None:
        """End the phase that runs and begin another; the first began with the command."""
        self.end()
        self._name, self._began = name, time.monotonic() if self.seconds else self.started
        self._observer(PhaseBegan(name))

    def end(self) -> None:
        """End the phase that runs."""
        if self._name:
            spent = time.monotonic() - self._began
            self.seconds[self._name] = round(self.seconds.get(self._name, 0.0) + spent, 3)
            self._name = ""

    @property
    def total(self) -> float:
        """Seconds since the command began."""
        return round(time.monotonic() - self.started, 3)
