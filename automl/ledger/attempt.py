"""One attempt at one piece of work: a row of the ledger. Knows nothing of how rows are stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from automl.messages import Kind, Outcome, State


@dataclass(frozen=True, slots=True)
class Attempt:
    """An assignment's member as the ledger keeps it; a slot is final when one of its attempts is."""

    kind: Kind
    slot: int
    part: int
    attempt: int
    family: str
    params: dict[str, Any]
    seed: int
    suggestion: dict[str, Any] = field(default_factory=dict)
    """What the study needs to propose the same point again: parameters, distributions, system attributes."""
    id: int = 0
    """Row id; 0 until stored."""
    state: State = "open"
    final: bool = False
    reason: str = ""
    value: float | None = None
    outcome: Outcome | None = None
    marks: dict[str, Any] = field(default_factory=dict)
    """What the pruner noted while the attempt ran, needed to rebuild its view."""
    opened_ms: int = 0
    """Wall clock, for people and MLflow; no decision depends on it."""
    closed_ms: int | None = None

    @property
    def key(self) -> str:
        """`<kind>-<slot>-<part>-<attempt>`: the assignment's id and the name of its result file."""
        return f"{self.kind}-{self.slot}-{self.part}-{self.attempt}"

    @property
    def work(self) -> tuple[Kind, int, int]:
        """What is attempted; at most one attempt at it is ever final."""
        return (self.kind, self.slot, self.part)

    def once_more(self) -> Attempt:
        """Return the next attempt at the same work: same point, same seed, not stored yet."""
        return Attempt(
            self.kind, self.slot, self.part, self.attempt + 1, self.family, self.params, self.seed, self.suggestion
        )
