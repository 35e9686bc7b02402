"""Decide nothing: carry out a fixed list of assignments, such as confirmations. Each is done once, whatever is killed whenever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from automl.ledger import Attempt
from automl.messages import Assignment, Kind, Outcome, Report


class Plan:
    """A list of attempts, and how each becomes an assignment; `outcomes` holds what came of them, by work."""

    def __init__(
        self,
        wanted: Sequence[Attempt],
        describe: Callable[[Attempt], Assignment],
        out_of_time: Callable[[], bool] = lambda: False,
    ) -> None:
        self._waiting = list(wanted)
        self._describe = describe
        self._out_of_time = out_of_time
        self.outcomes: dict[tuple[Kind, int, int], Outcome] = {}

    def recall(self, attempts: list[Attempt]) -> list[Attempt]:
        """Take over what an earlier run finished."""
        wanted = {attempt.work for attempt in self._waiting}
        latest = {attempt.work: attempt for attempt in attempts if attempt.work in wanted}
        for work, attempt in latest.items():
            if attempt.final and attempt.outcome is not None:
                self.outcomes[work] = attempt.outcome
        self._waiting = [attempt for attempt in self._waiting if attempt.work not in latest]
        return [attempt for attempt in latest.values() if not attempt.final]

    def next(self) -> Attempt | None:
        """Return the next on the list."""
        return self._waiting.pop(0) if self.has_more() else None

    def has_more(self) -> bool:
        """True while the list has more, and there is time for it."""
        return bool(self._waiting) and not self._out_of_time()

    def again(self, attempt: Attempt) -> Attempt:
        """Return the same work, one attempt later."""
        return attempt.once_more()

    def assignment(self, attempt: Attempt) -> Assignment:
        """Describe the work; its id follows the attempt."""
        return replace(self._describe(attempt), id=attempt.key)

    def on_report(self, attempt: Attempt, report: Report) -> bool:
        """Never stop."""
        return False

    def marks(self, attempt: Attempt) -> dict[str, object]:
        """Return nothing: a list needs no notes."""
        return {}

    def on_closed(self, attempt: Attempt, outcome: Outcome) -> None:
        """Keep the outcome."""
        self.outcomes[attempt.work] = outcome

    def out_of_time(self) -> bool:
        """True once running work must be ended."""
        return self._out_of_time()

    def takes_what_there_is(self) -> bool:
        """Never: work of a list is compared with the rest of it."""
        return False
