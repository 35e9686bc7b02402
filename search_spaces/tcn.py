"""Search space of the temporal convolutional network. Pure Python; its model is `lightning_modules/tcn.py`."""

from __future__ import annotations

from typing import Any

from ._training import by_adamw

INPUTS = ("series",)
"""Kinds of input the family accepts."""

DEFAULT = {
    "width": 32,
    "kernel": 7,
    "lr": 3e-3,
    "schedule": "one_cycle",
    "weight_decay": 1e-2,
    "dropout": 0.2,
    "batch_size": 64,
    "label_smoothing": 0.05,
}
"""The width of the paper's smallest networks; its kernel of 7 sees far in few blocks."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """Width and kernel decide the shape; depth follows from the length of the series."""
    return {
        "width": trial.suggest_int("width", 16, 64, log=True),
        "kernel": trial.suggest_int("kernel", 3, 9, step=2),
        **by_adamw(trial, spec),
    }
