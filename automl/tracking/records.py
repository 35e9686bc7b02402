"""From the ledger's outbox rows to the records that views are sent: plain dicts, made anew at each sending, never stored."""

from __future__ import annotations

from typing import Any

from automl.ledger import Attempt, Header, headline


def record(
    header: Header, view: str, message: int, topic: str, attempt: Attempt | None, *, closed_ms: int = 0
) -> dict[str, Any]:
    """Return the record of one outbox row; its form is documented in `view.py`. `closed_ms`: when the last attempt of all ended."""
    if topic == "slot" and attempt is not None:
        body = _slot(header, attempt)
        return {"id": message, "topic": topic, **body, **(_for_optuna(header, attempt) if view == "optuna" else {})}
    if topic == "search":
        return {"id": message, "topic": topic, **_search(header)}
    # The seconds are those of the last command: of a resumed search they do not reach to its end.
    seconds = (header.result or {}).get("seconds") or 0.0
    ended_ms = max(header.created_ms + int(1000 * seconds), closed_ms)
    return {"id": message, "topic": topic, "ended_ms": ended_ms, **{"end": _end, "export": _export}[topic](header)}


def _search(header: Header) -> dict[str, Any]:
    config = {key: value for key, value in header.config.items() if key in _LOGGED}
    commit, content = header.code.get("git_commit"), header.data["content"]
    # The budget is a tag, since MLflow refuses to change a parameter and a budget may be raised.
    tags = {**header.config["budget"], "git_commit": commit, "data_hash": content}
    return {
        "search": header.name,
        "task": header.task["name"],
        "uuid": header.uuid,
        "started_ms": header.created_ms,
        "params": {
            **config,
            "metric": header.task["metric"],
        },  # the setting is empty where the task's own metric steers
        "tags": {key: str(value) for key, value in tags.items() if value},
        "dataset": {
            "name": header.task["name"],
            "source": header.task["source"],
            "digest": header.data["content"],
            "rows": header.data["rows"],
            "features": header.data["features"],
        },
    }


def _slot(header: Header, attempt: Attempt) -> dict[str, Any]:
    outcome = attempt.outcome
    assert outcome is not None
    closed = max(attempt.closed_ms or 0, attempt.opened_ms)  # the wall clock may have been set back meanwhile
    steps = max((step for step, _ in outcome.curve), default=1)
    span = closed - attempt.opened_ms
    return {
        "slot": attempt.slot,
        "attempt": attempt.attempt,
        "family": attempt.family,
        "state": "failed" if attempt.state == "lost" else attempt.state,
        "lost": attempt.state == "lost",
        "params": attempt.params,
        "seed": attempt.seed,
        "value": attempt.value,
        "values": {**outcome.values, "best_step": outcome.best_step, "steps": outcome.steps},
        # Times between the stored ends, so that a second sending carries the same ones and stays idempotent.
        "curve": [[step, values, attempt.opened_ms + span * step // steps] for step, values in outcome.curve],
        "started_ms": attempt.opened_ms,
        "ended_ms": closed,
        "reason": attempt.reason,
        "seconds": outcome.cost.get("seconds", 0.0),
        "git_commit": header.code.get("git_commit", ""),
        "data_hash": header.data["content"],
    }


def _for_optuna(header: Header, attempt: Attempt) -> dict[str, Any]:
    assert attempt.outcome is not None
    return {
        "params": attempt.suggestion["params"],
        "distributions": attempt.suggestion["distributions"],
        "direction": header.task["direction"],
        "intermediate": [
            [step, values["objective"]] for step, values in attempt.outcome.curve if "objective" in values
        ],
    }


def _end(header: Header) -> dict[str, Any]:
    result = header.result or {}
    best = result.get("best") or {}
    metrics = {
        "objective": best.get("validation"),
        "test": best.get("test"),
        "default_validation": (result.get("default") or {}).get("validation"),
        **{f"slots_{state}": count for state, count in (result.get("slots") or {}).items()},
        "seconds": result.get("seconds"),
        **{f"baseline/{name}": value for name, value in (result.get("baselines") or {}).items()},
    }
    report = "; the whole report is the artifact `report/index.html`" if result.get("report") else ""
    return {
        "status": "FINISHED",
        "metrics": {name: value for name, value in metrics.items() if value is not None},
        "tags": {"verdict": _verdict(result) or "", "bundle": str(result.get("bundle", ""))},
        "note": f"**{_verdict(result) or ''}**: `automl report {header.name}`{report}",
    }


def _verdict(result: dict[str, Any]) -> str | None:
    """As terminal and report say it; None before a search has one."""
    return headline(result) if result.get("verdict") else None


def _export(header: Header) -> dict[str, Any]:
    result = header.result or {}
    best, challenge = result.get("best") or {}, result.get("challenge") or {}
    test = best.get("test_interval") or (None, None)
    tags = {
        "search": header.name,
        "task": header.task["name"],
        "family": best.get("family"),
        "metric": header.task["metric"],
        "verdict": _verdict(result),
        "git_commit": header.code.get("git_commit"),
        "data_hash": header.data["content"],
    }
    metrics = {
        "validation": best.get("validation"),
        "test": best.get("test"),
        "test_low": test[0],
        "test_high": test[1],
    }
    tags |= {name: f"{value:.4g}" for name, value in metrics.items() if value is not None}
    return {
        "bundle": result.get("bundle"),
        "digest": result.get("bundle_digest"),
        "report": result.get("report"),
        "tags": {name: str(value) for name, value in tags.items() if value},
        "metrics": {name: value for name, value in metrics.items() if value is not None},
        # Where nobody could say who the champion is, the place is taken only if it is free.
        "champion_was": challenge.get("champion"),
        "moves": challenge.get("moves", True),
    }


_LOGGED = ("sampler", "pruner", "max_epochs", "seed", "confirm_seeds", "precision")
"""Settings that are written to MLflow: an allow-list, so that no secret slips through."""
