"""Linear and logistic regression, of numbers with bends and products where that helps. Their search space is `search_spaces/linear.py`."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ._solved import Features, SolvedModule
from ._table import Columns, PiecewiseLinear

_MOST_TERMS = 2500
"""What exceeds them is left out: products, then bends, then the categories of most levels."""

_LONGEST_WAVE = 4096
"""Steps of a series of which a spectrum is read: waves are as many numbers as half its square."""
_NO_POWER = 1e-3
"""Of numbers of unit variance: what is weaker is silent."""


class Terms(Features):
    """Of a table or vector: numbers, their place in each of some bins, products of two, and a term per level of a category."""

    firsts: Tensor
    seconds: Tensor

    def __init__(self, field: Any, *, bends: bool, products: bool) -> None:
        super().__init__()
        self.columns = Columns(field)
        count = self.width = self.columns.count
        self.categories: list[tuple[int, int]] = []
        """Place among the codes, and levels."""
        for place, levels in sorted(enumerate(self.columns.sizes), key=lambda pair: pair[1]):
            if self._has_room(levels):
                self.categories.append((place, levels))
        bins = PiecewiseLinear() if bends else None
        self.bins = bins if bins is not None and self._has_room(count * len(bins.begins)) else None
        self.has_products = products and self._has_room(count * (count + 1) // 2)
        firsts, seconds = (
            torch.triu_indices(count, count) if self.has_products else torch.empty(2, 0, dtype=torch.int64)
        )
        self.register_buffer("firsts", firsts, persistent=False)
        self.register_buffer("seconds", seconds, persistent=False)
        self.width = max(1, self.width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features) -> (batch, width)."""
        numbers, codes = self.columns(x)
        parts = [numbers]
        parts += [F.one_hot(codes[:, place], levels).to(x.dtype) for place, levels in self.categories]
        if self.bins is not None:
            parts.append(self.bins(numbers).flatten(1))
        if self.has_products:
            parts.append(numbers[:, self.firsts] * numbers[:, self.seconds])
        found = torch.cat(parts, dim=1)
        return found if found.shape[1] else x[:, :1] * 0.0

    def _has_room(self, terms: int) -> bool:
        """Whether so many more are few enough; if so they are counted."""
        if self.width + terms > _MOST_TERMS:
            return False
        self.width += terms
        return True


class Window(Features):
    """Of a series: its newest steps, and how strong each frequency is, whenever it sets in (logarithms of the periodogram)."""

    waves: Tensor

    def __init__(self, field: Any, *, spectrum: bool, window: float) -> None:
        super().__init__()
        channels, steps = field.shape
        self.steps = max(1, math.ceil(window * steps))
        has_spectrum = spectrum and self.steps <= _LONGEST_WAVE
        cycles = torch.arange(1, self.steps // 2 + 1) if has_spectrum else torch.arange(0)
        angles = 2 * math.pi * cycles[:, None] * torch.arange(self.steps) / self.steps  # (frequencies, steps)
        waves = torch.stack((angles.cos(), angles.sin())) / math.sqrt(self.steps)
        self.register_buffer("waves", waves, persistent=False)
        self.width = channels * (self.steps + len(cycles))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, steps) -> (batch, width)."""
        newest = x[:, :, -self.steps :]
        power = torch.einsum("bct,wft->wbcf", newest, self.waves).square().sum(dim=0)
        return torch.cat((newest.flatten(1), (power + _NO_POWER).log().flatten(1)), dim=1)


class Module(SolvedModule):
    """Ridge regression, or logistic regression with as many classes as there are."""

    def __init__(
        self,
        spec: Any,
        *,
        bends: bool = False,
        products: bool = False,
        spectrum: bool = False,
        window: float = 1.0,
        squared: bool = False,
        class_balance: float = 0.0,
    ) -> None:
        """`bends` and `products` are a table's or vector's; where they would make too many terms they are left out.

        `spectrum` is a series'; `window` is the share of its steps that are read, the newest ones. `squared` errors are lowered where
        absolute ones are judged: they tell more where none is very large.
        """
        spec = dataclasses.replace(spec, loss="mse") if squared else spec
        if spec.input.kind == "series":
            features: Features = Window(spec.input, spectrum=spectrum, window=window)
        else:
            features = Terms(spec.input, bends=bends, products=products)
        super().__init__(spec, features, class_balance=class_balance)
