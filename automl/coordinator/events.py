"""What an observer is told: plain values. The command line prints them; a notebook may ignore them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from automl.ledger import Attempt


@dataclass(frozen=True, slots=True)
class Began:
    """The data is read and the search is about to place its first work."""

    search: str
    metric: str
    direction: str
    slots: int | None


@dataclass(frozen=True, slots=True)
class Resumed:
    """An earlier run of this search is continued."""

    done: int
    requeued: int


@dataclass(frozen=True, slots=True)
class PhaseBegan:
    """start, search, confirm, export, report or sync."""

    name: str


@dataclass(frozen=True, slots=True)
class Placed:
    """An assignment left for a worker."""

    attempt: Attempt
    max_steps: int


@dataclass(frozen=True, slots=True)
class Advanced:
    """A member finished an epoch."""

    attempt: Attempt
    step: int
    value: float


@dataclass(frozen=True, slots=True)
class Closed:
    """An attempt ended; `retry` is set when it is tried again."""

    attempt: Attempt
    retry: bool


@dataclass(frozen=True, slots=True)
class Said:
    """A line for people."""

    text: str
    level: str = "info"
    """`info` or `warning`."""


SearchEvent = Began | Resumed | PhaseBegan | Placed | Advanced | Closed | Said
Observer = Callable[[SearchEvent], None]


def silent(event: SearchEvent) -> None:
    """The observer that ignores everything."""
