"""Search space of RealMLP. Pure Python; its model is `lightning_modules/realmlp.py`."""

from __future__ import annotations

from typing import Any

from ._training import balance

INPUTS = ("table", "vector")
"""Kinds of input the family accepts."""

DEFAULT = {
    "embedding": "periodic",
    "depth": 3,
    "width": 128,
    "dropout": 0.15,
    "lr": 0.04,
    "schedule": "coslog4",
    "weight_decay": 0.02,
    "batch_size": 256,
    "label_smoothing": 0.1,
}
"""The paper's (arXiv:2407.04491), at half its width."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """Rates are those of weights of unit variance, hence ten times as high as elsewhere; the optimiser is AdamW, as in the paper."""
    params = {
        "embedding": trial.suggest_categorical("embedding", ["none", "ple", "periodic"]),
        "depth": trial.suggest_int("depth", 1, 3),
        "width": trial.suggest_int("width", 32, 256, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "lr": trial.suggest_float("lr", 3e-3, 3e-1, log=True),
        "schedule": trial.suggest_categorical("schedule", ["coslog4", "cosine", "one_cycle"]),
        "weight_decay": trial.suggest_float("weight_decay", 1e-5, 1e-1, log=True),
        "batch_size": trial.suggest_categorical("batch_size", [64, 128, 256]),
    }
    if spec.classes:
        params["label_smoothing"] = trial.suggest_float("label_smoothing", 0.0, 0.2)
    return {**params, **balance(trial, spec)}
