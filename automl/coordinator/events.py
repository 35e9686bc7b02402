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
    seconds: float | None = None
    """Wall time of the whole command, where a person bounded it."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """An earlier run of this search is continued."""

    done: tuple[Attempt, ...]
    """Its final trials, in the order of their slots."""
    requeued: int


@dataclass(frozen=True, slots=True)
class PhaseBegan:
    """start, search, confirm, export, report or sync."""

    name: str


@dataclass(frozen=True, slots=True)
class Planned:
    """How many assignments the phase has, where that is known before it begins them."""

    count: int


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
class Lagging:
    """How many messages a view does not have yet; told when that changes, about once a second at most."""

    view: str
    pending: int


@dataclass(frozen=True, slots=True)
class Said:
    """A line for people."""

    text: str
    level: str = "info"
    """`info`, `warning`, or `stopping`: a signal came, and what runs is being saved."""


SearchEvent = Began | Resumed | PhaseBegan | Planned | Placed | Advanced | Closed | Lagging | Said
Observer = Callable[[SearchEvent], None]


def silent(event: SearchEvent) -> None:
    """The observer that ignores everything."""
