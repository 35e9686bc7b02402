"""RealMLP: a perceptron with defaults tuned over many tables, simplified. Its search space is `search_spaces/realmlp.py`."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._table import Flat, TableModule

_BETAS = (0.9, 0.95)
"""The paper's: a shorter memory of squared gradients than Adam's usual 0.999."""


class Module(TableModule):
    """Learned scales of the inputs, then linear layers in the neural tangent parametrisation (Holzmüller et al. 2024, arXiv:2407.04491).

    SELU for classes and Mish for numbers. Not taken from the paper: dropout and decay that follow a schedule, parametric
    activations, and first biases that come from the data.
    """

    def __init__(
        self,
        spec: Any,
        *,
        depth: int,
        width: int,
        dropout: float,
        embedding: str = "periodic",
        dim: int = 4,
        **training: Any,
    ) -> None:
        """`embedding` is what becomes of numbers, `dim` the length of the vector they become: see `_table.Numbers`."""
        super().__init__(spec, **training)
        front = Flat(spec.input, embedding=embedding, dim=dim)
        sizes = [front.width, *[width] * depth]
        layers: list[nn.Module] = [front, Scale(front.width)]
        for before, after in itertools.pairwise(sizes):
            layers += [TangentLinear(before, after), nn.SELU() if spec.classes else nn.Mish(), nn.Dropout(dropout)]
        self.network = nn.Sequential(*layers, TangentLinear(sizes[-1], spec.output_size))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimiser, with the paper's factors on the rates of scales, biases and embedded numbers."""
        optimizer = super().configure_optimizers()
        assert isinstance(optimizer, torch.optim.Optimizer)
        (whole,) = optimizer.param_groups
        optimizer.param_groups.clear()
        groups: dict[float, list[nn.Parameter]] = {}
        for name, parameter in self.named_parameters():
            groups.setdefault(_rate(name), []).append(parameter)
        for factor, parameters in groups.items():
            optimizer.add_param_group({**whole, "params": parameters, "lr": factor * whole["lr"], "betas": _BETAS})
        return optimizer


def _rate(name: str) -> float:
    """Factor on a parameter's learning rate."""
    if name.startswith("network.0.numbers."):
        return 0.1
    if name.endswith(".scale"):
        return 6.0
    return 0.1 if name.endswith(".bias") else 1.0


class Scale(nn.Module):
    """A learned factor per input, which selects features softly: (batch, width), as it came."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, width)."""
        return x * self.scale


class TangentLinear(nn.Module):
    """A linear layer of standard normal weights, divided by the root of their number: one learning rate fits every width."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before))
        self.bias = nn.Parameter(torch.randn(after))

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, after)."""
        return F.linear(x, self.weight * self.weight.shape[1] ** -0.5, self.bias)
