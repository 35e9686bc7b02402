"""The JSON document of a search: what `--json` prints, `searches show` repeats and the report draws. Built from the ledger."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from automl.config import Budget
from automl.direction import sign
from automl.errors import StorageError
from automl.ledger import Attempt, Header

_NUMBER = (int, float)
_WHOLE: dict[str, Any] = {
    **dict.fromkeys(("search", "task", "metric", "direction", "verdict", "bundle", "report"), str),
    "slots": dict.fromkeys(("planned", "complete", "pruned", "failed"), int),
    "best": {"family": str, "slot": int, "params": dict, "validation": _NUMBER, "test": _NUMBER, "test_interval": list},
    "baselines": dict,
    "seconds": _NUMBER,
}
"""What the document of every finished search has had since the first version, and its kind."""


def partial_document(header: Header, attempts: Iterable[Attempt]) -> dict[str, Any]:
    """Return what is known of a search at any time; `winner` and the rest are added when it ends."""
    attempts = list(attempts)
    trials = [attempt for attempt in attempts if attempt.kind == "trial"]
    return {
        "search": header.name,
        "task": header.task["name"],
        "source": header.task["source"],
        "metric": header.task["metric"],
        "direction": header.task["direction"],
        "seed": header.config["seed"],
        "budget": header.config["budget"],
        "epochs": sum(attempt.outcome.steps for attempt in attempts if attempt.outcome is not None),
        "slots": count_slots(header, trials),
    }


def stored_document(header: Header) -> dict[str, Any] | None:
    """Return the document of a finished search, None of another. Raises StorageError for one that lacks what each version writes."""
    if header.result is None:
        return None
    if missing := list(_missing(header.result, _WHOLE)):
        raise StorageError(
            f"The result of search '{header.name}' is not whole (no {', '.join(missing)}): another program or version wrote it.",
            hint="Restore a copy of its ledger.",
        )
    return header.result


def _missing(document: Any, form: dict[str, Any], above: str = "") -> Iterator[str]:
    for key, kind in form.items():
        value = document.get(key) if isinstance(document, dict) else None
        if isinstance(kind, dict):
            yield from _missing(value, kind, f"{above}{key}.")
        elif not isinstance(value, kind):
            yield f"{above}{key}"


def new_rows(document: dict[str, Any], table: str) -> str:
    """What to predict, as an example: a folder where the rows were a folder's files, else that table."""
    source = document.get("source")
    return "FOLDER" if source is not None and Path(source).is_dir() else table


def families_flag(folder: str | None) -> str:
    """The flag by which a command finds families of one's own again, after a blank; empty where there are none."""
    return f" --families-from {shlex.quote(folder)}" if folder else ""


def validated(document: dict[str, Any]) -> str:
    """Where the winner's validation value comes from: where no time was left for fresh seeds it is the trial's own, and flatters."""
    slot, ensemble = document["best"]["slot"], document.get("ensemble") or {}
    of_ensemble = ensemble.get("taken") and ensemble["validation"] == document["best"]["validation"]
    if of_ensemble:  # an older version's document has the single winner's
        return "on rows that did not choose it"
    fresh = any(one["values"] for one in document.get("confirmed") or () if one["slot"] == slot)
    return "on fresh seeds" if fresh else "in its trial alone"


def tested(document: dict[str, Any], name: str) -> float | None:
    """The value on the test rows of another model of the search, `default` or `single`; the document has the winner's gain over it."""
    gain = (document.get("test_gains") or {}).get(name)
    return None if gain is None else document["best"]["test"] - sign(document["direction"]) * gain[0]


def count_slots(header: Header, trials: list[Attempt]) -> dict[str, int]:
    """Count slots, never attempts; a slot lost for good counts as failed, one that was begun and neither ended nor runs as interrupted."""
    final = Counter("failed" if t.state == "lost" else t.state for t in trials if t.final)
    budget = Budget(**header.config["budget"])
    begun = {t.slot for t in trials}
    return {
        "planned": max(budget.slots or 0, len(begun)),  # an earlier command may have asked for more
        **{state: final[state] for state in ("complete", "pruned", "failed")},
        "interrupted": len(begun - {t.slot for t in trials if t.final or t.state == "open"}),
        "retried": sum(1 for t in trials if t.state == "lost" and not t.final),
    }
