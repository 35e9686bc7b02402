"""Search space of the recurrent network. Pure Python; its model is `lightning_modules/rnn.py`."""

from __future__ import annotations

from typing import Any

from ._training import by_adamw

INPUTS = ("text", "series")
"""Kinds of input the family accepts."""

DEFAULT = {
    "cell": "lstm",
    "depth": 1,
    "width": 64,
    "bidirectional": True,
    "pooling": "max",
    "lr": 3e-3,
    "schedule": "one_cycle",
    "weight_decay": 1e-2,
    "dropout": 0.2,
    "batch_size": 64,
    "label_smoothing": 0.05,
}
"""One LSTM in both directions and the greatest of its states: short to train, and it forgets no word."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """Cell, depth, width, directions and pooling decide the shape."""
    return {
        "cell": trial.suggest_categorical("cell", ["lstm", "gru"]),
        "depth": trial.suggest_int("depth", 1, 2),
        "width": trial.suggest_int("width", 16, 128, log=True),
        "bidirectional": trial.suggest_categorical("bidirectional", [True, False]),
        "pooling": trial.suggest_categorical("pooling", ["mean", "max", "last"]),
        **by_adamw(trial, spec),
    }
