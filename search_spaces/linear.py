"""Search space of linear and logistic regression. Pure Python; their model is `lightning_modules/linear.py`."""

from __future__ import annotations

from typing import Any

from ._training import balance

INPUTS = ("table", "vector", "series")
"""Kinds of input the family accepts."""

DEFAULT = {"bends": True, "products": False}
"""A generalized additive model: a bent line per number, and nothing between two of them."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """What is made of a table's numbers; a series is read as it is. The penalty is no parameter: the epochs walk from strong to weak."""
    if spec.input.kind == "series":
        return balance(trial, spec)
    return {
        "bends": trial.suggest_categorical("bends", [True, False]),
        "products": trial.suggest_categorical("products", [False, True]),
        **balance(trial, spec),
    }
