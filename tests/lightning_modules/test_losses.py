"""The loss follows the metric; what is not known does not count."""

from __future__ import annotations

import torch

from automl import catalog
from automl.messages import Field, Spec

NAN = float("nan")


def loss(name: str, outputs: list[list[float]], target: list[float] | list[list[float]]) -> float:
    spec = Spec((Field("x", "table", (3,)),), (Field("y", "number", (1,)),), rows=80, classes=0, loss=name)
    module = catalog.module("mlp", spec, dict(catalog.space("mlp").DEFAULT))
    return float(module.loss(torch.tensor(outputs), torch.tensor(target)))


def test_errors_count_squared_or_as_they_are() -> None:
    assert loss("mse", [[1.0], [4.0]], [0.0, 1.0]) == 5.0
    assert loss("mae", [[1.0], [4.0]], [0.0, 1.0]) == 2.0


def test_steps_of_a_forecast_that_are_missing_count_nothing() -> None:
    assert loss("mse", [[1.0, 9.0], [4.0, 9.0]], [[0.0, NAN], [1.0, NAN]]) == 5.0
    assert loss("mae", [[1.0, 9.0], [4.0, 9.0]], [[0.0, NAN], [1.0, NAN]]) == 2.0
