"""Outbox records as MLflow shows them: a pure mapping to names, texts and points. Does not import mlflow, sends nothing.

MLflow sorts by a metric, so only complete slots have `objective` and the values beside it, whose curves stand under `curve/`: what
a stopped slot had, or one fold of several, is no rival of theirs. NaN and inf, which MLflow would store as something else, never
leave; a text that is too long is cut and carries a hash of the whole.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Any

from automl.tracking.view import Record

KEY = "automl.trial_key"
"""Tag by which a run of ours is found again: `<uuid>` for a search, `<uuid>/<slot>` for a slot."""
PARENT = "mlflow.parentRunId"
_NOTE = "mlflow.note.content"
_LONGEST_PARAM = 6000
_LONGEST_TAG = 8000
_COUNTS = ("best_step", "steps")
"""What a slot that was stopped has too, beside its seconds."""
_STATUS = {"complete": "FINISHED", "pruned": "FINISHED", "failed": "FAILED"}

Point = tuple[str, float, int, int]
"""Metric name, finite value, time in milliseconds, step."""


@dataclass(frozen=True, slots=True)
class RunContent:
    """All that one MLflow run holds."""

    key: str
    name: str
    tags: dict[str, str]
    started_ms: int | None = None
    params: dict[str, str] = field(default_factory=dict)
    points: tuple[Point, ...] = ()
    status: str = "RUNNING"
    ended_ms: int | None = None


def slot_content(record: Record, *, uuid: str, search: str) -> RunContent:
    """Map a final slot to its child run; KILLED means that its worker died on every attempt."""
    status = "KILLED" if record["lost"] else _STATUS[record["state"]]
    key = f"{uuid}/{record['slot']}"
    names = ("family", "slot", "attempt", "state", "seed", "git_commit", "data_hash")
    tags = {"search": search, **{name: record[name] for name in names if record[name] != ""}, KEY: key}
    if record["reason"]:
        tags["reason"] = record["reason"]
    return RunContent(
        key=key,
        name=f"{record['family']}-{record['slot']}",
        tags=_texts(tags, _LONGEST_TAG),
        started_ms=record["started_ms"],
        params=_texts({"family": record["family"], **record["params"]}, _LONGEST_PARAM),
        points=_slot_points(record),
        status=status,
        ended_ms=record["ended_ms"],
    )


def search_content(record: Record, *, uuid: str, search: str, task: str) -> RunContent:
    """Map the begin of a search (or `{}`, when only its name is known) to its parent run."""
    tags = {**record.get("tags", {}), "search": search, "task": task, KEY: uuid}
    return RunContent(
        key=uuid,
        name=search,
        tags=_texts(tags, _LONGEST_TAG),
        started_ms=record.get("started_ms"),
        params=_texts(record.get("params", {}), _LONGEST_PARAM),
    )


def end_content(record: Record, *, uuid: str, search: str, task: str) -> RunContent:
    """Map the end of a search to what its parent run gains."""
    tags = {**record["tags"], "search": search, "task": task, KEY: uuid}
    if record["note"]:
        tags[_NOTE] = record["note"]
    return RunContent(
        key=uuid,
        name=search,
        tags=_texts(tags, _LONGEST_TAG),
        points=_points(record["metrics"], record["ended_ms"], step=0),
        status=record["status"].upper(),
        ended_ms=record["ended_ms"],
    )


def cut(text: str, longest: int) -> str:
    """Return a text of at most `longest` characters; what was cut off stays recognisable by a hash of the whole."""
    if len(text) <= longest:
        return text
    mark = f"... sha256:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"
    return text[: longest - len(mark)] + mark


def _slot_points(record: Record) -> tuple[Point, ...]:
    # MLflow's tables show a metric's last step: a slot's own values, taken at its best step, have other names than its curves.
    values = {name: value for name, value in record["values"].items() if name != "objective"}
    if record["state"] == "complete" and not record["lost"]:
        final = {"objective": record["value"], **values, "seconds": record["seconds"]}  # MLflow compares by the first
    else:
        final = {"seconds": record["seconds"], **{name: values[name] for name in _COUNTS if name in values}}
    along = [
        point
        for step, at_step, milliseconds in record["curve"]
        for point in _points({f"curve/{name}": value for name, value in at_step.items()}, milliseconds, step)
    ]
    return (*_points(final, record["ended_ms"], step=0), *along)


def _points(values: dict[str, Any], milliseconds: int, step: int) -> tuple[Point, ...]:
    return tuple(
        (name, float(value), milliseconds, step)
        for name, value in values.items()
        if isinstance(value, int | float) and math.isfinite(value)
    )


def _texts(values: dict[str, Any], longest: int) -> dict[str, str]:
    return {name: cut(_text(value), longest) for name, value in values.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
