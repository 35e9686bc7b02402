"""Search space of the vision transformer. Pure Python; its model is `lightning_modules/vit.py`."""

from __future__ import annotations

from typing import Any

from ._training import by_adamw

INPUTS = ("image",)
"""Kinds of input the family accepts."""

ON_REQUEST = True
"""Without tens of thousands of pictures a convolution is better, and quicker."""

DEFAULT = {
    "depth": 2,
    "width": 64,
    "stem": "convolutions",
    "shift": 0.1,
    "rotation": 10.0,
    "mirror": False,
    "lr": 3e-3,
    "schedule": "one_cycle",
    "weight_decay": 1e-2,
    "dropout": 0.1,
    "batch_size": 64,
    "label_smoothing": 0.05,
}
"""Two layers of four heads behind convolutions: few rows do not teach attention what a neighbour is."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """Depth, width and stem decide the shape; shift, rotation and mirror how a training image is changed."""
    return {
        "depth": trial.suggest_int("depth", 2, 4),
        "width": trial.suggest_int("width", 32, 96, step=16),
        "stem": trial.suggest_categorical("stem", ["patches", "convolutions"]),
        "shift": trial.suggest_float("shift", 0.0, 0.2),
        "rotation": trial.suggest_float("rotation", 0.0, 20.0),
        "mirror": trial.suggest_categorical("mirror", [False, True]),
        **by_adamw(trial, spec),
    }
