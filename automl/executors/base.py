"""What a coordinator asks of an executor, and the events it gets back. Implemented by `inline` and `local`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from automl.messages import Answer, Assignment, Outcome, Report


@dataclass(frozen=True, slots=True)
class Reported:
    """A member finished an epoch and waits for its answer."""

    report: Report


@dataclass(frozen=True, slots=True)
class Ended:
    """An assignment is done; its worker is free."""

    assignment: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker ended with an assignment still open; its exit code proves nothing."""

    assignment: str
    reason: str
    """For people: `killed, signal 9`, `exited without a result (code 0)`, `no progress for 600 s`."""


Event = Reported | Ended | Lost


class Executor(Protocol):
    """Runs assignments. Call order: `start`, then any of `submit`, `answer`, `wait`, `cancel`; `stop` last, always."""

    def start(self) -> None:
        """Begin to bring up workers; returns before they are ready."""

    def idle(self) -> int:
        """How many assignments could be submitted now."""

    def submit(self, assignment: Assignment) -> None:
        """Hand an assignment to an idle worker."""

    def answer(self, answer: Answer) -> None:
        """Tell a member what to do; dropped when it has ended meanwhile."""

    def wait(self, timeout: float) -> list[Event]:
        """Return what happened, after at most `timeout` seconds. Raises StorageError when workers cannot be started."""

    def cancel(self, assignment: str) -> None:
        """Kill the worker of an assignment; a Lost event follows."""

    def stop(self) -> None:
        """End all workers at once. Safe to call twice."""
