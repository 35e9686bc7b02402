"""Search space of the FT-Transformer. Pure Python; its model is `lightning_modules/ft_transformer.py`."""

from __future__ import annotations

from typing import Any

from ._training import balance

INPUTS = ("table",)
"""Kinds of input the family accepts."""

ON_REQUEST = True
"""Attention over columns takes several times as long as the other families for tables, and is seldom better."""

DEFAULT = {
    "blocks": 2,
    "width": 32,
    "embedding": "periodic",
    "dropout": 0.1,
    "lr": 2e-3,
    "schedule": "cosine",
    "weight_decay": 1e-5,
    "batch_size": 128,
    "label_smoothing": 0.0,
}
"""Two blocks of the paper's three (arXiv:2106.11959) at a sixth of its width, which bears twenty times its rate; numbers embedded."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """Width is a multiple of the four heads; the optimiser is AdamW, as in the paper."""
    params = {
        "blocks": trial.suggest_int("blocks", 1, 3),
        "width": trial.suggest_int("width", 16, 64, step=8),
        "embedding": trial.suggest_categorical("embedding", ["none", "ple", "periodic"]),
        "dropout": trial.suggest_float("dropout", 0.0, 0.4),
        "lr": trial.suggest_float("lr", 1e-4, 1e-2, log=True),
        "schedule": trial.suggest_categorical("schedule", ["constant", "cosine", "one_cycle"]),
        "weight_decay": trial.suggest_float("weight_decay", 1e-6, 1e-1, log=True),
        "batch_size": trial.suggest_categorical("batch_size", [64, 128, 256]),
    }
    if spec.classes:
        params["label_smoothing"] = trial.suggest_float("label_smoothing", 0.0, 0.2)
    return {**params, **balance(trial, spec)}
