"""Everything that one report is drawn from, read from a search's ledger and folder, finished or not. Computes and draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from automl.ledger import Attempt, Header, SearchFolder, begun, open_to_read
from automl.report.document import partial_document, stored_document
from automl.report.scored import Scored, read_scored
from automl.report.slots import Trials, default_slot, slots_of

_ROUNDED_MS = 1000
"""More than what rounded seconds and a clock that is set may tell of an interval."""


@dataclass(frozen=True, slots=True)
class Material:
    """A search as its report sees it."""

    header: Header
    document: dict[str, Any]
    """What `automl search --json` prints; an unfinished search lacks much of it."""
    attempts: tuple[Attempt, ...]
    """Of every kind of work, in the order in which they were opened."""
    trials: Trials
    scored: Scored | None
    """None before the test part was read."""

    @property
    def folds(self) -> int:
        """In how many folds trials were validated; 0 for one validation part, or where an older version did not say."""
        return int(self.header.data.get("folds", 0))


def gather(
    header: Header, attempts: Sequence[Attempt], folder: SearchFolder, document: dict[str, Any] | None = None
) -> Material:
    """Return what there is; `document` is the stored one, or what is known so far, where none is given."""
    document = document or stored_document(header) or partial_document(header, attempts)
    best = document.get("best") or {}
    slots, direction = slots_of(attempts), document["direction"]
    family = (document.get("default") or {}).get("family") or best.get(
        "family"
    )  # an ensemble's default is the single winner's
    default = default_slot(slots, direction, family)
    trials = Trials(slots, document["metric"], direction, default, best.get("slot"))
    scored = read_scored(attempts, folder, document.get("score"))  # an older version's document names none
    return Material(header, document, tuple(attempts), trials, scored)


def read_material(folder: SearchFolder) -> Material:
    """Read a search, even one that is running. Raises ConfigError for one that was never begun, StorageError for a damaged one."""
    with closing(open_to_read(folder)) as ledger:
        return gather(begun(ledger, folder.name), ledger.attempts(), folder)


def is_resumed(material: Material) -> bool:
    """Whether the seconds of a finished search are those of its last command alone: it was begun before that command.

    No row tells when a command began. The work that closed last had ended before the report was drawn, so that the command
    did not begin earlier than its seconds, less those of the report and what followed, before that.
    """
    document = material.document
    seconds, phases = document.get("seconds"), document.get("phases") or {}
    closed = [one.closed_ms for one in material.attempts if one.closed_ms is not None]
    if not closed or not isinstance(seconds, int | float):
        return False
    working = seconds - sum(phases.get(name, 0.0) for name in ("report", "sync"))
    return material.header.created_ms < max(closed) - 1000 * working - _ROUNDED_MS
