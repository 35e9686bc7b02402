"""The same seed gives the same search, to the bit, in another home; and a raised budget runs exactly the difference."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from command import SMALL, Command, Finished

from automl.ledger import Attempt, Home, Ledger

pytestmark = pytest.mark.slow


def trials_in(folder: Path) -> list[Attempt]:
    """Attempts at slots, as the ledger holds them."""
    with closing(Ledger.open(Home(folder / ".automl").existing("digits-0").ledger)) as ledger:
        return ledger.attempts(kind="trial")


def results(trials: list[Attempt]) -> list[tuple[object, ...]]:
    """What must be equal to the bit: parameters, seed, state, value and the whole curve of each slot."""
    return [(t.slot, t.family, t.params, t.seed, t.state, t.value, t.outcome and t.outcome.curve) for t in trials]


@pytest.mark.timeout(300)  # three searches in a row, beside another test
def test_seed_decides_all_and_a_raised_budget_runs_the_difference(
    finished: Finished, copy_of: Callable[[Finished], Command], automl: Command
) -> None:
    """One search of 9 slots at once, and one of 6 in another home that is raised to 9."""
    first = trials_in(finished.folder)
    at_once = automl.json("search", "digits", *SMALL, "--trials", "9")
    other_home = trials_in(automl.folder)
    assert results(first) == results(other_home[:6])
    assert at_once["slots"]["planned"] == len(other_home) == 9

    raised = copy_of(finished)
    document = raised.json("search", "digits", *SMALL, "--trials", "9")
    after = trials_in(raised.folder)
    assert after[:6] == first, "rows of finished slots were touched"
    assert [trial.slot for trial in after[6:]] == [6, 7, 8]
    assert document["slots"]["planned"] == 9
    assert results(after) == results(other_home)


def test_the_same_command_again_runs_nothing(finished: Finished, copy_of: Callable[[Finished], Command]) -> None:
    again = copy_of(finished)
    document = again.json("search", "digits", *SMALL, "--trials", "6")
    assert document == finished.document
    assert trials_in(again.folder) == trials_in(finished.folder)
