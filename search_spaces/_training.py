"""The part of a search space that every family shares: how it is trained. Knows no shapes and no models."""

from __future__ import annotations

from typing import Any


def training(trial: Any, spec: Any) -> dict[str, Any]:
    """Propose optimiser, learning rate and regularisation: keyword arguments of `FamilyModule`, and `dropout`.

    The learning rate has one name and one range whatever the optimiser, so that a multivariate sampler sees it in every
    trial: adaptive optimisers live in its lower two decades, stochastic gradient descent in its upper two.
    """
    optimizer = trial.suggest_categorical("optimizer", ["sgd", "adam", "adamw", "adagrad"])
    params = {
        "optimizer": optimizer,
        "lr": trial.suggest_float("lr", 3e-4, 1e-1, log=True),
        "schedule": trial.suggest_categorical("schedule", ["constant", "cosine", "one_cycle"]),
        "weight_decay": trial.suggest_float("weight_decay", 1e-6, 1e-1, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "batch_size": trial.suggest_categorical("batch_size", [64, 128, 256]),
    }
    if optimizer == "sgd":
        params["momentum"] = trial.suggest_float("momentum", 0.5, 0.99)
    if spec.classes:
        params["label_smoothing"] = trial.suggest_float("label_smoothing", 0.0, 0.2)
    return {**params, **balance(trial, spec)}


def by_adamw(trial: Any, spec: Any) -> dict[str, Any]:
    """Propose what `training` does for networks that only AdamW trains well, such as transformers; smaller batches too."""
    params = {
        "lr": trial.suggest_float("lr", 1e-4, 3e-2, log=True),
        "schedule": trial.suggest_categorical("schedule", ["constant", "cosine", "one_cycle"]),
        "weight_decay": trial.suggest_float("weight_decay", 1e-6, 1.0, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "batch_size": trial.suggest_categorical("batch_size", [32, 64, 128]),
    }
    if spec.classes:
        params["label_smoothing"] = trial.suggest_float("label_smoothing", 0.0, 0.2)
    return {**params, **balance(trial, spec)}


UNEVEN = 3.0
"""Rows of the most frequent class for one of the rarest: below it, weights of classes change little and would only be searched."""


def balance(trial: Any, spec: Any) -> dict[str, Any]:
    """Propose how far training makes up for uneven classes; nothing where they are even. No default does it."""
    rows = spec.class_rows
    if not rows or max(rows) < UNEVEN * max(1, min(rows)):
        return {}
    return {"class_balance": trial.suggest_float("class_balance", 0.0, 1.0)}
