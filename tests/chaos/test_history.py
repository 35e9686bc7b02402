"""The checker of histories can see: each kind of damage turns it red, and a sound history passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import stubs
from history import History, assert_exact

from automl.ledger import Attempt, SearchFolder


def sound() -> History:
    """Two slots; the first one's worker died once."""
    slots = [(0, 0, False), (0, 1, True), (1, 0, True)]
    attempts = [
        Attempt(
            "trial",
            slot,
            0,
            number,
            "bowl",
            {"x": float(slot)},
            slot,
            state="complete" if final else "lost",
            final=final,
        )
        for slot, number, final in slots
    ]
    header = replace(stubs.header(), result={"verdict": "done"})
    return History(SearchFolder(Path("search")), header, attempts, [attempt.key for attempt in attempts])


def doubled(history: History) -> History:
    """A worker began the same attempt twice."""
    return replace(history, executions=[*history.executions, "trial-1-0-0"])


def uncommitted(history: History) -> History:
    """Work left before the ledger heard of it."""
    return replace(history, executions=[*history.executions, "trial-2-0-0"])


def lost_slot(history: History) -> History:
    """A slot was never finished."""
    return replace(history, attempts=history.attempts[:2], executions=history.executions[:2])


def left_open(history: History) -> History:
    """An attempt was never closed."""
    return replace(history, attempts=[replace(history.attempts[0], state="open"), *history.attempts[1:]])


def final_twice(history: History) -> History:
    """A slot counts twice."""
    return replace(history, attempts=[replace(history.attempts[0], final=True), *history.attempts[1:]])


def other_point(history: History) -> History:
    """The retry is not the same point."""
    first, second, third = history.attempts
    return replace(history, attempts=[first, replace(second, params={"x": 0.9}), third])


def invented(history: History) -> History:
    """An outcome that no worker made."""
    return replace(history, executions=history.executions[:2])


def unfinished(history: History) -> History:
    """The search never came to its end."""
    return replace(history, header=replace(history.header, result=None))


def test_a_sound_history_passes() -> None:
    assert_exact(sound(), 2)


@pytest.mark.parametrize(
    "damage", [doubled, uncommitted, lost_slot, left_open, final_twice, other_point, invented, unfinished]
)
def test_damage_is_seen(damage: Callable[[History], History]) -> None:
    with pytest.raises(AssertionError):
        assert_exact(damage(sound()), 2)
