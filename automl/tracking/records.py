"""From the ledger's outbox rows to the records that views are sent: plain dicts, made anew at each sending, never stored."""

from __future__ import annotations

from typing import Any

from automl.ledger import Attempt, Header


def record(header: Header, view: str, message: int, topic: str, attempt: Attempt | None) -> dict[str, Any]:
    """Return the record of one outbox row; its form is documented in `view.py`."""
    if topic == "slot" and attempt is not None:
        body = _slot(header, attempt)
        return {"id": message, "topic": topic, **body, **(_for_optuna(header, attempt) if view == "optuna" else {})}
    bodies = {"search": _search, "end": _end, "export": _export}
    return {"id": message, "topic": topic, **bodies[topic](header)}


def _search(header: Header) -> dict[str, Any]:
    config = {key: value for key, value in header.config.items() if key in _LOGGED}
    return {
        "search": header.name,
        "task": header.task["name"],
        "uuid": header.uuid,
        "started_ms": header.created_ms,
        "params": config,
        # The budget is a tag, since MLflow refuses to change a parameter and a budget may be raised.
        "tags": {
            **{key: str(value) for key, value in header.config["budget"].items() if value is not None},
            "git_commit": header.code.get("git_commit", ""),
            "data_hash": header.data["content"],
        },
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
    }
    return {
        "status": "FINISHED",
        "ended_ms": _ended_ms(header),
        "metrics": {name: value for name, value in metrics.items() if value is not None},
        "tags": {"verdict": str(result.get("verdict", "")), "bundle": str(result.get("bundle", ""))},
        "note": f"**{result.get('verdict', '')}**: `automl report {header.name}`",
    }


def _ended_ms(header: Header) -> int:
    return header.created_ms + int(1000 * (header.result or {}).get("seconds", 0.0))


def _export(header: Header) -> dict[str, Any]:
    result = header.result or {}
    best, challenge = result.get("best") or {}, result.get("challenge") or {}
    test = best.get("test_interval") or (None, None)
    tags = {
        "search": header.name,
        "task": header.task["name"],
        "family": best.get("family"),
        "metric": header.task["metric"],
        "verdict": result.get("verdict"),
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
        "ended_ms": _ended_ms(header),
        "report": result.get("report"),
        "tags": {name: str(value) for name, value in tags.items() if value},
        "metrics": {name: value for name, value in metrics.items() if value is not None},
        # Where nobody could say who the champion is, the place is taken only if it is free.
        "champion_was": challenge.get("champion"),
        "moves": challenge.get("moves", True),
    }


_LOGGED = ("sampler", "pruner", "max_epochs", "metric", "seed", "confirm_seeds", "precision")
"""Settings that are written to MLflow: an allow-list, so that no secret slips through."""
