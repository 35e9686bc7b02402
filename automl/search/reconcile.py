"""Closing what an earlier coordinator left open. Run under the lock, before anything is decided; looks only at what is stored."""

from __future__ import annotations

from pathlib import Path

from automl.ledger import Attempt, Ledger
from automl.messages import Outcome
from automl.worker.results import forget_result, read_result

_FINAL = ("complete", "pruned", "failed")


def reconcile(ledger: Ledger, results: Path) -> int:
    """Close every open attempt: adopt its result file, else mark it interrupted. Returns how many must be tried again.

    Workers die with their coordinator, so an open attempt at start has no worker. It is not charged to the slot.
    """
    requeued = 0
    for attempt in ledger.attempts(state="open"):
        outcome = adopt(attempt, results) or Outcome(attempt.key, 0, "interrupted", reason="the coordinator ended")
        close(ledger, attempt, outcome, results)
        requeued += outcome.state not in _FINAL
    for leftover in results.glob("*.json"):
        leftover.unlink()  # all of these attempts are closed: their outcomes are in the ledger
    return requeued


def adopt(attempt: Attempt, results: Path) -> Outcome | None:
    """Return the outcome that a dead worker left in its result file."""
    outcomes = read_result(results, attempt.key)
    return outcomes[0] if outcomes else None


def close(
    ledger: Ledger,
    attempt: Attempt,
    outcome: Outcome,
    results: Path,
    *,
    marks: dict[str, object] | None = None,
    spent: bool = False,
) -> Attempt:
    """Commit an outcome, then forget its result file. `spent` makes a lost attempt final: none is left."""
    closed = ledger.close_attempt(attempt, outcome, final=outcome.state in _FINAL or spent, marks=marks)
    forget_result(results, attempt.key)
    return closed
