"""The final slots of a search as the report sees them. Reads attempts; draws nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from automl.direction import sign
from automl.ledger import Attempt


@dataclass(frozen=True, slots=True)
class Slot:
    """One unit of the budget, final."""

    number: int
    family: str
    state: str
    """`complete`, `pruned` or `failed`; one whose workers all died counts as failed."""
    params: dict[str, Any]
    value: float | None
    steps: int
    """Epochs trained."""
    seconds: float
    """Of its worker, in the attempt that counted."""
    attempt: int
    reason: str
    curve: tuple[tuple[int, float], ...]
    """(epoch, objective)."""
    ended: float
    """Seconds of searching until it was final; a night between two commands takes none."""

    @property
    def complete(self) -> bool:
        """Whether it ran to its own end, so that its value may be compared."""
        return self.state == "complete" and self.value is not None


@dataclass(frozen=True)
class Trials:
    """All final slots in slot order, and how their values are judged."""

    slots: tuple[Slot, ...]
    metric: str
    direction: str
    """`maximize` or `minimize`."""
    default: Slot | None = None
    """The slot that others must beat: the default of the winner's family, or the best default while there is no winner."""
    winner: int | None = None
    """Its slot."""

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Names in alphabetical order: a family's place decides its colour."""
        return tuple(sorted({slot.family for slot in self.slots}))

    @property
    def sign(self) -> float:
        """Makes larger better."""
        return sign(self.direction)

    @cached_property
    def ranked(self) -> tuple[Slot, ...]:
        """The best first; then those stopped early, the latest first; then those without a value."""

        def rank(slot: Slot) -> tuple[bool, bool, int, float, int]:
            value = 0.0 if slot.value is None else -self.sign * slot.value
            return not slot.complete, slot.value is None, 0 if slot.complete else -slot.steps, value, slot.number

        return tuple(sorted(self.slots, key=rank))

    @property
    def by_merit(self) -> tuple[str, ...]:
        """Names of the families, the one with the best slot first."""
        return tuple(dict.fromkeys(slot.family for slot in self.ranked))

    def of(self, family: str) -> Trials:
        """Return one family's slots."""
        mine = tuple(slot for slot in self.slots if slot.family == family)
        return Trials(mine, self.metric, self.direction, self.default, self.winner)

    def colour(self, family: str) -> str:
        """Return the style class of a family, `c0` to `c7`."""
        return f"c{self.families.index(family) % 8}"


def slots_of(attempts: Iterable[Attempt]) -> tuple[Slot, ...]:
    """Return one slot per final trial, in slot order."""
    final = [one for one in attempts if one.kind == "trial" and one.final and one.outcome is not None]
    clock = _clock(final)
    return tuple(_slot(trial, clock) for trial in sorted(final, key=lambda trial: trial.slot))


def default_slot(slots: Sequence[Slot], direction: str, family: str | None) -> Slot | None:
    """Return a family's default, its first slot; the best family's default where none is named. None if it did not complete."""
    first: dict[str, Slot] = {}
    for slot in slots:
        first.setdefault(slot.family, slot)
    done = [slot for slot in first.values() if slot.complete and family in (None, slot.family)]
    return max(done, key=lambda slot: sign(direction) * (slot.value or 0.0), default=None)


def _slot(trial: Attempt, clock: Callable[[int], float]) -> Slot:
    outcome = trial.outcome
    assert outcome is not None
    return Slot(
        trial.slot,
        trial.family,
        "failed" if trial.state == "lost" else trial.state,
        trial.params,
        trial.value,
        outcome.steps,
        outcome.cost.get("seconds", 0.0),
        trial.attempt,
        trial.reason,
        tuple((step, values["objective"]) for step, values in outcome.curve if "objective" in values),
        clock(_end(trial)),
    )


def _clock(trials: Iterable[Attempt]) -> Callable[[int], float]:
    """Return a function from wall-clock milliseconds to the seconds before it in which at least one trial ran."""
    busy: list[tuple[int, int]] = []
    for start, end in sorted((trial.opened_ms, _end(trial)) for trial in trials):
        if busy and start <= busy[-1][1]:
            busy[-1] = (busy[-1][0], max(busy[-1][1], end))
        else:
            busy.append((start, end))
    starts = [start for start, _ in busy]
    before = [0, *accumulate(end - start for start, end in busy)]

    def seconds(now: int) -> float:
        place = bisect_right(starts, now) - 1
        return (before[place] + min(now, busy[place][1]) - busy[place][0]) / 1000

    return seconds


def _end(trial: Attempt) -> int:
    """When its worker was done. A result that outlived a killed coordinator is committed by the next command, perhaps days later."""
    closed = max(trial.closed_ms or 0, trial.opened_ms)
    seconds = trial.outcome.cost.get("seconds") if trial.outcome is not None else None
    return closed if seconds is None else min(closed, trial.opened_ms + round(1000 * seconds))
