"""Search space of the residual network for small images. Pure Python; its model is `lightning_modules/cnn.py`."""

from __future__ import annotations

from typing import Any

from ._training import training

INPUTS = ("image",)
"""Kinds of input the family accepts."""

DEFAULT = {
    "width": 16,
    "blocks": 1,
    "shift": 0.1,
    "rotation": 10.0,
    "pooling": "both",
    "dropout": 0.1,
    "optimizer": "adamw",
    "lr": 1e-2,
    "schedule": "one_cycle",
    "weight_decay": 1e-2,
    "batch_size": 128,
    "label_smoothing": 0.05,
}
"""Small and quick: two residual blocks, one cycle up to a high rate, images moved a little."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """Width and blocks decide the shape, shift and rotation how far a training image is moved."""
    return {
        "width": trial.suggest_int("width", 8, 32, log=True),
        "blocks": trial.suggest_int("blocks", 1, 2),
        "shift": trial.suggest_float("shift", 0.0, 0.2),
        "rotation": trial.suggest_float("rotation", 0.0, 20.0),
        "pooling": "both",
        **training(trial, spec),
    }
