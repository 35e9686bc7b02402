"""Search space of the bag of words and pairs. Pure Python; its model is `lightning_modules/text_bag.py`."""

from __future__ import annotations

from typing import Any

from ._training import by_adamw

INPUTS = ("text",)
"""Kinds of input the family accepts."""

DEFAULT = {
    "width": 32,
    "buckets": 16_384,
    "scale": "root",
    "lr": 3e-3,
    "schedule": "one_cycle",
    "weight_decay": 1e-2,
    "dropout": 0.5,
    "batch_size": 64,
    "label_smoothing": 0.05,
}
"""Narrow, with much dropout: on a few thousand short texts wide vectors learn the rows by heart within two epochs."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """Width and buckets decide the shape; 0 buckets leave the pairs out."""
    return {
        "width": trial.suggest_int("width", 16, 256, log=True),
        "buckets": trial.suggest_categorical("buckets", [0, 4_096, 16_384, 65_536]),
        "scale": "root",
        **by_adamw(trial, spec),
    }
