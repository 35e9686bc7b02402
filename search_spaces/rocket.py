"""Search space of random convolutional kernels. Pure Python; their model is `lightning_modules/rocket.py`."""

from __future__ import annotations

from typing import Any

from ._training import balance

INPUTS = ("series",)
"""Kinds of input the family accepts."""
FORECASTS = False
"""Where in a series a shape stands is what forecasts are made of, and what shares of steps do not say."""

DEFAULT = {"features": 2500, "changes": 0.5}
"""A quarter of MiniRocket's 10,000 features, which tell nearly as much at a quarter of the time; half of them of the changes (MultiRocket;
Tan et al. 2022, arXiv:2102.00457)."""


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    """How much is read, and of what. The penalty is no parameter: the epochs walk from strong ones to weak ones."""
    return {
        "features": trial.suggest_int("features", 500, 10_000, log=True),
        "changes": trial.suggest_float("changes", 0.0, 1.0),
        **balance(trial, spec),
    }
