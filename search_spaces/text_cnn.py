"""Search space of the convolutions over words. Pure Python; its model is `lightning_modules/text_cnn.py`."""

from __future__ import annotations

from typing import Any

from ._training import by_adamw

INPUTS = ("text",)
"""Kinds of input the family accepts."""

DEFAULT = {
    "width": 64,
    "filters": 64,
    "window": 3,
    "lr": 3e-3,
    "schedule": "one_cycle",
    "weight_decay": 1e-2,
    "dropout": 0.2,
    "batch_size": 64,
    "label_smoothing": 0.05,
}
"""The paper's lengths of three, four and five words; vectors of half its width, learned from nothing."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """Width, filters and window decide the shape."""
    return {
        "width": trial.suggest_int("width", 32, 128, log=True),
        "filters": trial.suggest_int("filters", 16, 128, log=True),
        "window": trial.suggest_int("window", 1, 4),
        **by_adamw(trial, spec),
    }
