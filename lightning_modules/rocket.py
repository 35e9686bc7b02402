"""Random convolutional kernels for series. Their search space is `search_spaces/rocket.py`."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._solved import Features, SolvedModule

_LENGTH = 9
_KERNELS = 84
_GOLDEN = (math.sqrt(5) - 1) / 2
_WIDTH = 0.01
"""Of a threshold, in standard deviations of what is compared: a step across would turn the last bit of a number into a difference."""
_MOST_COMPARED = 1e10
"""Steps of all rows by features: ten seconds of a CPU's core. More of them read fewer features."""
_FITTED_ON = 1024


class Kernels(nn.Module):
    """Shares of steps at which dilated convolutions of a series exceed thresholds (MiniRocket; Dempster et al. 2021, arXiv:2012.08791).

    All 84 kernels of length 9 with three weights of 2 and six of -1, which see shapes and no levels; dilations double until a kernel
    spans the series; thresholds are quantiles of what training rows give. Each kernel reads some channels, drawn at random.
    """

    weights: Tensor
    channels: Tensor
    thresholds: Tensor
    scales: Tensor

    def __init__(self, channels: int, steps: int, features: int) -> None:
        """`features` is rounded to a multiple of kernels and dilations, of which at least one each is read."""
        super().__init__()
        longest = max(0, int(math.log2(max(1, (steps - 1) / (_LENGTH - 1)))))
        self.dilations = [2**octave for octave in range(longest + 1)]
        self.each = max(1, round(features / _KERNELS / len(self.dilations)))
        self.width = len(self.dilations) * _KERNELS * self.each
        places = len(self.dilations), _KERNELS
        self.register_buffer("thresholds", torch.zeros(*places, self.each))
        self.register_buffer("scales", torch.ones(places))
        self.register_buffer("channels", _some_of(channels, places))
        weights = torch.full((_KERNELS, _LENGTH), -1.0)
        for kernel, twos in enumerate(itertools.combinations(range(_LENGTH), 3)):
            weights[kernel, list(twos)] = 2.0
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, steps) -> (batch, width): -1 where no step exceeds the threshold, 1 where all do."""
        found = []
        for place in range(len(self.dilations)):
            compared = self._convolved(x, place)  # (batch, kernels, steps)
            for threshold in self.thresholds[place].unbind(dim=1):
                found.append(F.hardtanh(compared - threshold[:, None]).mean(dim=2))
        return torch.cat(found, dim=1)

    def fit(self, x: Tensor) -> None:
        """Take each kernel's thresholds from one row of (rows, channels, steps), at quantiles that lie evenly over all."""
        every = torch.arange(_KERNELS, device=x.device)
        quantiles = (torch.arange(1, self.width + 1, device=x.device) * _GOLDEN % 1).float()
        for place, wanted in enumerate(quantiles.view(self.thresholds.shape)):
            rows = torch.randint(len(x), (_KERNELS,)).to(x.device)
            raw = self._convolved(x[rows], place).float()
            spread = _WIDTH * raw.std(dim=(0, 2))
            self.scales[place] = torch.where(spread > 0, spread, 1.0)
            own = raw[every, every] / self.scales[place][:, None].float()
            self.thresholds[place] = torch.stack([one.quantile(at) for one, at in zip(own, wanted, strict=True)])

    def _convolved(self, x: Tensor, place: int) -> Tensor:
        dilation = self.dilations[place]
        weights = self.weights[:, None] * self.channels[place, :, :, None] / self.scales[place, :, None, None]
        return F.conv1d(x, weights, dilation=dilation, padding=dilation * (_LENGTH // 2))


class Shapes(Features):
    """Kernels over the series and over its changes from step to step, and each channel's mean and spread, which kernels do not see."""

    def __init__(self, channels: int, steps: int, *, features: int, changes: float) -> None:
        """`changes` is the share of the features that is read from the changes."""
        super().__init__()
        changed = round(features * changes) if steps > 2 else 0
        self.kernels = Kernels(channels, steps, features - changed)
        self.changes = Kernels(channels, steps - 1, changed) if changed else None
        self.width = self.kernels.width + (self.changes.width if self.changes else 0) + 2 * channels

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, steps) -> (batch, width)."""
        parts = [self.kernels(x), x.mean(dim=2), x.std(dim=2, correction=0)]
        if self.changes is not None:
            parts.append(self.changes(x.diff(dim=2)))
        return torch.cat(parts, dim=1)

    def fit(self, inputs: Tensor) -> None:
        """Set the thresholds by training rows (rows, channels, steps)."""
        rows = inputs[torch.randperm(len(inputs))[:_FITTED_ON].to(inputs.device)]
        self.kernels.fit(rows)
        if self.changes is not None:
            self.changes.fit(rows.diff(dim=2))


class Module(SolvedModule):
    """Thousands of features that nobody trains, and a linear layer that is solved: the strongest cheap way to tell series apart."""

    def __init__(self, spec: Any, *, features: int, changes: float, class_balance: float = 0.0) -> None:
        """`features` is an upper limit: of many long series fewer are read."""
        channels, steps = spec.input.shape
        affordable = int(_MOST_COMPARED / (max(1, spec.rows) * channels * steps))
        shapes = Shapes(channels, steps, features=max(_KERNELS, min(features, affordable)), changes=changes)
        super().__init__(spec, shapes, class_balance=class_balance)


def _some_of(channels: int, places: tuple[int, int]) -> Tensor:
    """(*places, channels) 1 for those that are read, at random half of them and at least one, else 0."""
    chance = torch.rand(*places, channels)
    return (chance <= chance.amin(dim=-1, keepdim=True).clamp(min=0.5)).float()
