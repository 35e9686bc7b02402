"""Closing what an earlier coordinator left open. Run under the lock, before anything is decided; looks only at what is stored."""

from __future__ import annotations

from pathlib import Path

from automl.ledger import Attempt, Ledger
from automl.messages import Outcome
from automl.worker.results import forget_results, read_result


def reconcile(ledger: Ledger, results: Path) -> int:
    """Close every open attempt: adopt its result file, else mark it interrupted. Returns how many must be tried again.

    Workers die with their coordinator, so an open attempt at start has no worker. It is not charged to the slot.
    """
    requeued = 0
    for attempt in ledger.attempts(state="open"):
        outcome = adopt(attempt, results) or Outcome(attempt.key, 0, "interrupted", reason="the coordinator ended")
        requeued += not ledger.close_attempt(attempt, outcome).final
    forget_results(results)
    return requeued


def adopt(attempt: Attempt, results: Path) -> Outcome | None:
    """Return the outcome that a dead worker left in its result file."""
    outcomes = read_result(results, attempt.key)
    return outcomes[0] if outcomes else None
