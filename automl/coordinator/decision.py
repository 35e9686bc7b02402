"""What the coordinator asks of whoever decides. `trials.py` decides by Optuna, `plan.py` by a fixed list."""

from __future__ import annotations

from typing import Protocol

from automl.ledger import Attempt
from automl.messages import Assignment, Outcome, Report


class Decision(Protocol):
    """Called by the coordinator alone, in one thread: `recall` once, then the others as things happen."""

    def recall(self, attempts: list[Attempt]) -> list[Attempt]:
        """Learn everything stored about this kind of work; return the latest attempts that are neither open nor final."""

    def next(self) -> Attempt | None:
        """Return new work for an idle worker, or None when there is none now."""

    def has_more(self) -> bool:
        """True while `next` may still return work."""

    def again(self, attempt: Attempt) -> Attempt:
        """Return the next attempt at the same work: same parameters, same seed."""

    def assignment(self, attempt: Attempt) -> Assignment:
        """Say in full what a worker must do for a stored attempt."""

    def on_report(self, attempt: Attempt, report: Report) -> bool:
        """Learn one epoch's value; return True to stop the member."""

    def marks(self, attempt: Attempt) -> dict[str, object]:
        """Return what must be stored with the attempt to rebuild this decision's view."""

    def on_closed(self, attempt: Attempt, outcome: Outcome) -> None:
        """Learn how work ended that is not tried again now, after that was committed. May raise to end the search."""

    def out_of_time(self) -> bool:
        """True once running work must be ended."""

    def takes_what_there_is(self) -> bool:
        """Whether work that is out of time ends with what it has learned by then, instead of without a value."""
