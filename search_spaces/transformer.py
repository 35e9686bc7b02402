"""Search space of the transformer encoder. Pure Python; its model is `lightning_modules/transformer.py`."""

from __future__ import annotations

from typing import Any

from ._training import by_adamw

INPUTS = ("text", "series")
"""Kinds of input the family accepts."""

ON_REQUEST = True
"""Without long texts or series the smaller families are as good, and quicker."""

DEFAULT = {
    "depth": 2,
    "width": 64,
    "pooling": "mean",
    "lr": 3e-3,
    "schedule": "one_cycle",
    "weight_decay": 1e-2,
    "dropout": 0.2,
    "batch_size": 64,
    "label_smoothing": 0.05,
}
"""Two layers of four heads: what trains on some thousand rows."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """Depth, width and pooling decide the shape."""
    return {
        "depth": trial.suggest_int("depth", 1, 4),
        "width": trial.suggest_int("width", 32, 128, step=16),
        "pooling": trial.suggest_categorical("pooling", ["mean", "max"]),
        **by_adamw(trial, spec),
    }
