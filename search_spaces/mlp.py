"""Search space of the multi-layer perceptron. Pure Python; its model is `lightning_modules/mlp.py`."""

from __future__ import annotations

from typing import Any

from ._training import training

INPUTS = ("table", "vector", "image")
"""Kinds of input the family accepts."""

DEFAULT = {
    "depth": 2,
    "width": 128,
    "dropout": 0.1,
    "optimizer": "adamw",
    "lr": 1e-3,
    "schedule": "constant",
    "weight_decay": 1e-4,
    "batch_size": 128,
    "label_smoothing": 0.0,
    "embedding": "ple",
}
"""Two hidden layers and AdamW at its usual rate: where most people begin. Of a table, numbers are embedded."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """Depth and width decide the shape; what `training` adds can differ inside one fused model.

    A table's numbers may be embedded. Few rows neither need nor feed a wide network, and a narrow one trains several times as fast.
    """
    params = {
        "depth": trial.suggest_int("depth", 1, 3),
        "width": trial.suggest_int("width", 16, 128 if spec.rows < 5_000 else 512, log=True),
        **training(trial, spec),
    }
    if spec.input.kind == "table":
        params["embedding"] = trial.suggest_categorical("embedding", ["none", "ple", "periodic"])
    return params
