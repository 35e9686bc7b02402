"""Search space of linear and logistic regression. Pure Python; their model is `lightning_modules/linear.py`."""

from __future__ import annotations

from typing import Any

from ._training import balance

INPUTS = ("table", "vector", "series")
"""Kinds of input the family accepts."""

DEFAULT = {"bends": True, "products": False, "spectrum": True, "window": 1.0, "squared": False}
"""Of a table a generalized additive model: a bent line per number, and nothing between two of them. Of a series all there is."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """What is made of a table's numbers, or of a series. The penalty is no parameter: the epochs walk from strong ones to weak ones."""
    common = balance(trial, spec)
    if spec.loss == "mae":
        common["squared"] = trial.suggest_categorical("squared", [False, True])
    if spec.is_forecast:
        return {"window": trial.suggest_float("window", 0.1, 1.0), **common}
    if spec.input.kind == "series":
        return {"spectrum": trial.suggest_categorical("spectrum", [True, False]), **common}
    return {
        "bends": trial.suggest_categorical("bends", [True, False]),
        "products": trial.suggest_categorical("products", [False, True]),
        **common,
    }
