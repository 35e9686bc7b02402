"""Search space of the residual network of several stages. Pure Python; its model is `lightning_modules/resnet.py`."""

from __future__ import annotations

from typing import Any

from ._training import by_adamw

INPUTS = ("image",)
"""Kinds of input the family accepts."""

ON_REQUEST = True
"""On digits it doubled the search's time (151 s against 74 s) and won nothing that `cnn` had not."""

DEFAULT = {
    "width": 16,
    "stages": 3,
    "blocks": 1,
    "shift": 0.1,
    "rotation": 10.0,
    "mirror": False,
    "lr": 1e-2,
    "schedule": "one_cycle",
    "weight_decay": 1e-2,
    "dropout": 0.1,
    "batch_size": 64,
    "label_smoothing": 0.05,
}
"""The paper's three stages for small images at the least width and depth, so that a CPU trains them; one cycle up to a high rate."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """Width, stages and blocks decide the shape; shift, rotation and mirror how a training image is changed."""
    return {
        "width": trial.suggest_int("width", 8, 48, log=True),
        "stages": trial.suggest_int("stages", 2, 4),
        "blocks": trial.suggest_int("blocks", 1, 2),
        "shift": trial.suggest_float("shift", 0.0, 0.2),
        "rotation": trial.suggest_float("rotation", 0.0, 20.0),
        "mirror": trial.suggest_categorical("mirror", [False, True]),
        **by_adamw(trial, spec),
    }
