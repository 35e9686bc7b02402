"""What workers do under chaos: each execution is logged before it begins. Two kinds: the real thing, slowed, and made-up trials."""

from __future__ import annotations

import os
import time

from automl.messages import Answer, Assignment, Outcome, Report, State
from automl.worker.perform import Channel, Places
from automl.worker.perform import perform as really

PAUSE = float(os.environ.get("CHAOS_PAUSE", "0"))
"""Seconds that each report takes longer, so that a kill finds work under way."""


class SlowChannel:
    """A channel that holds up each report."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def report(self, report: Report) -> None:
        """Wait, then report."""
        time.sleep(PAUSE)
        self._channel.report(report)

    def answer(self, *, wait: bool) -> Answer | None:
        """Pass on."""
        return self._channel.answer(wait=wait)

    def tick(self) -> None:
        """Pass on."""
        self._channel.tick()


def perform(assignment: Assignment, channel: Channel, places: Places) -> tuple[Outcome, ...]:
    """Train with Lightning, slowly."""
    log_execution(assignment, places)
    return really(assignment, SlowChannel(channel), places)


def perform_made_up(assignment: Assignment, channel: Channel, places: Places) -> tuple[Outcome, ...]:
    """Make up the trials, which need no torch then; what follows them is real."""
    log_execution(assignment, places)
    if assignment.kind != "trial":
        return really(assignment, channel, places)
    accuracy = assignment.members[0].seed % 1000 / 1000
    curve = []
    for step in range(1, assignment.max_resource + 1):
        time.sleep(PAUSE)
        values = {"objective": accuracy * step / assignment.max_resource, "loss": 1.0 / step}
        curve.append((step, values))
        channel.report(Report(assignment.id, 0, step, values))
        answer = channel.answer(wait=True)
        if answer is not None and answer.act != "go":
            state: State = "pruned" if answer.act == "stop" else "interrupted"
            return (Outcome(assignment.id, 0, state, value=values["objective"], steps=step, curve=tuple(curve)),)
    return (Outcome(assignment.id, 0, "complete", value=accuracy, best_step=step, steps=step, curve=tuple(curve)),)


def log_execution(assignment: Assignment, places: Places) -> None:
    """Add a line to `<search>/executions.log`; what one write appends is whole, whoever is killed."""
    file = os.open(places.search / "executions.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, f"{assignment.id}\n".encode())
    finally:
        os.close(file)
