"""A channel that answers by script, for tests of workers."""

from __future__ import annotations

from automl.messages import Answer, Report


class ScriptedChannel:
    """Answers each report with `go`, or as `acts` says for its step; records what came.

    `delay` holds an answer back for that many unblocking questions: a slow coordinator.
    """

    def __init__(self, acts: dict[int, str] | None = None, delay: int = 0) -> None:
        self.acts = acts or {}
        self.delay = delay
        self.reports: list[Report] = []
        self.ticks = 0
        self.waits = 0
        self._open: Report | None = None
        self._asked = 0

    def report(self, report: Report) -> None:
        self.reports.append(report)
        self._open, self._asked = report, 0

    def answer(self, *, wait: bool) -> Answer | None:
        self.waits += wait
        self._asked += 1
        if self._open is None or (not wait and self._asked <= self.delay):
            return None
        report, self._open = self._open, None
        return Answer(report.assignment, report.member, report.step, self.acts.get(report.step, "go"))  # type: ignore[arg-type]

    def tick(self) -> None:
        self.ticks += 1
