"""Result files: what a worker has finished outlives it and its coordinator, until the ledger has it.

One file per worker, overwritten by its next result: a worker gets its next assignment only after the ledger has committed the
last one. Not fsynced: what a power cut takes here was never acknowledged, and is tried again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from automl.messages import Outcome, outcome_from, to_json


def write_result(folder: Path, assignment: str, outcomes: tuple[Outcome, ...]) -> None:
    """Leave the outcomes of this process's assignment in `folder`."""
    descriptor = os.open(folder / f"{os.getpid()}.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(to_json({"assignment": assignment, "outcomes": outcomes}))


def read_result(folder: Path, assignment: str) -> tuple[Outcome, ...] | None:
    """Return what some worker left of an assignment, or None; a file cut off in the middle counts as none."""
    for path in folder.glob("*.json"):
        try:
            left = json.loads(path.read_text())
        except (ValueError, FileNotFoundError):
            continue
        if left["assignment"] == assignment:
            return tuple(outcome_from(item) for item in left["outcomes"])
    return None


def forget_results(folder: Path) -> None:
    """Remove all results; right only when no worker lives and every attempt is closed."""
    for path in folder.glob("*.json"):
        path.unlink()
