"""Outbox records and carrier settings for tests, as the coordinator makes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from automl.tracking.uri import artifact_folder, artifact_location, tracking_uri

UUID = "0123456789abcdef0123456789abcdef"
START_MS = 1_700_000_000_000


def settings(folder: Path, **changes: Any) -> dict[str, Any]:
    """Settings of an MLflow carrier that works in `folder`."""
    uri = tracking_uri({}, folder)
    return {
        "tracking_uri": uri,
        "experiment": "digits",
        "artifact_location": artifact_location(uri, folder, "digits"),
        "artifact_folder": str(artifact_folder(folder)),
        "search": "digits-0",
        "task": "digits",
        "uuid": UUID,
        "log": str(folder / "carrier.log"),
        "first_delay": 0.05,
        "longest_delay": 0.2,
        **changes,
    }


def search(**changes: Any) -> dict[str, Any]:
    """The begin of a search."""
    return {
        "id": 1,
        "topic": "search",
        "started_ms": START_MS,
        "params": {"max_epochs": 20, "sampler": "tpe"},
        "tags": {"git_commit": "c0ffee"},
        "dataset": {"name": "digits", "source": "scikit-learn", "digest": "d" * 64, "rows": 1797, "features": 64},
        **changes,
    }


def slot(number: int, *, epochs: int = 3, **changes: Any) -> dict[str, Any]:
    """A complete slot; its value is number / 1000."""
    return {
        "id": 100 + number,
        "topic": "slot",
        "slot": number,
        "attempt": 1,
        "family": "mlp",
        "state": "complete",
        "lost": False,
        "params": {"lr": 0.001 * (number + 1), "depth": 2, "optimizer": "adamw"},
        "seed": 7 * number,
        "value": number / 1000,
        "values": {"accuracy": number / 1000, "best_step": 2},
        "curve": [
            [step, {"objective": 0.1 * step, "accuracy": 0.1 * step, "loss": 1 / step}, START_MS + 1000 * step]
            for step in range(1, epochs + 1)
        ],
        "started_ms": START_MS,
        "ended_ms": START_MS + 60_000,
        "reason": "",
        "seconds": 1.5,
        "git_commit": "c0ffee",
        "data_hash": "d" * 64,
        **changes,
    }


def pruned(number: int, **changes: Any) -> dict[str, Any]:
    """A slot that was stopped early."""
    return slot(number, state="pruned", reason="stopped at epoch 3", **changes)


def failed(number: int, **changes: Any) -> dict[str, Any]:
    """A slot whose training diverged."""
    return slot(number, state="failed", value=None, values={}, curve=[], reason="diverged (NaN at epoch 1)", **changes)


def end(**changes: Any) -> dict[str, Any]:
    """The end of a search."""
    return {
        "id": 2,
        "topic": "end",
        "status": "FINISHED",
        "ended_ms": START_MS + 90_000,
        "metrics": {"test": 0.98},
        "tags": {"verdict": "better than default"},
        "note": "**better than default**",
        **changes,
    }
