"""Search space of boosted decision trees. Pure Python; their model is `lightning_modules/boosted_trees.py`."""

from __future__ import annotations

from typing import Any

from ._training import balance

INPUTS = ("table", "vector")
"""Kinds of input the family accepts."""

DEFAULT = {
    "rounds": 100,
    "lr": 0.1,
    "max_leaf_nodes": 31,
    "max_depth": 14,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "max_features": 1.0,
    "rows": 1.0,
}
"""The settings of scikit-learn's HistGradientBoosting, but for a depth that seldom binds and a penalty, without which leaves of rare
classes grow beyond all bounds; early stopping ends the rounds."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """Rounds, leaves and depth decide the shape; many rounds want a low rate.

    The last round is seldom the best: the best epoch's trees are kept, so `rounds` may well be generous.
    """
    return {
        "rounds": trial.suggest_int("rounds", 50, 400, log=True),
        "lr": trial.suggest_float("lr", 0.02, 0.3, log=True),
        "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 4, 127, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 14),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 2, 60, log=True),
        "l2_regularization": trial.suggest_float("l2_regularization", 1e-3, 30.0, log=True),
        "max_features": trial.suggest_float("max_features", 0.3, 1.0),
        "rows": trial.suggest_float("rows", 0.5, 1.0),
        **balance(trial, spec),
    }
