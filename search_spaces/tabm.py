"""Search space of TabM. Pure Python; its model is `lightning_modules/tabm.py`."""

from __future__ import annotations

from typing import Any

from ._training import balance

INPUTS = ("table", "vector")
"""Kinds of input the family accepts."""

DEFAULT = {
    "members": 8,
    "embedding": "ple",
    "depth": 2,
    "width": 96,
    "dropout": 0.1,
    "lr": 8e-3,
    "schedule": "cosine",
    "weight_decay": 3e-4,
    "batch_size": 64,
    "label_smoothing": 0.0,
}
"""The paper's decay and dropout (arXiv:2410.24210) with a quarter of its members and a fifth of its width, so that it trains in
seconds; thirty epochs of a small table are few steps, so they are small batches at four times its rate, which falls."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """As the paper does, train with AdamW; members, depth and width decide what a trial costs."""
    params = {
        "members": trial.suggest_categorical("members", [8, 16, 32]),
        "embedding": trial.suggest_categorical("embedding", ["none", "ple", "periodic"]),
        "depth": trial.suggest_int("depth", 1, 3),
        "width": trial.suggest_int("width", 32, 128 if spec.rows < 5_000 else 256, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "lr": trial.suggest_float("lr", 5e-4, 3e-2, log=True),
        "schedule": trial.suggest_categorical("schedule", ["constant", "cosine", "one_cycle"]),
        "weight_decay": trial.suggest_float("weight_decay", 1e-6, 1e-1, log=True),
        "batch_size": trial.suggest_categorical("batch_size", [64, 128, 256]),
    }
    if spec.classes:
        params["label_smoothing"] = trial.suggest_float("label_smoothing", 0.0, 0.2)
    return {**params, **balance(trial, spec)}
