"""Search space of the residual network for tables. Pure Python; its model is `lightning_modules/resnet_table.py`."""

from __future__ import annotations

from typing import Any

from ._training import training

INPUTS = ("table", "vector")
"""Kinds of input the family accepts."""

ON_REQUEST = True
"""The other families for tables are as good on most, and fewer families get more trials each."""

DEFAULT = {
    "blocks": 2,
    "width": 128,
    "embedding": "ple",
    "dropout": 0.2,
    "optimizer": "adamw",
    "lr": 1e-3,
    "schedule": "cosine",
    "weight_decay": 1e-4,
    "batch_size": 128,
    "label_smoothing": 0.0,
}
"""The paper's shape (arXiv:2106.11959) at half its width, with embedded numbers and a rate that falls."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """Blocks and width decide the shape; what `training` adds is how it is trained."""
    return {
        "blocks": trial.suggest_int("blocks", 1, 4),
        "width": trial.suggest_int("width", 16, 128 if spec.rows < 5_000 else 512, log=True),
        "embedding": trial.suggest_categorical("embedding", ["none", "ple", "periodic"]),
        **training(trial, spec),
    }
