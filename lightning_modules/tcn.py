"""Temporal convolutional network for series. Its search space is `search_spaces/tcn.py`."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from torch import Tensor, nn

from ._base import FamilyModule
from ._sequence import forecaster


class Block(nn.Module):
    """Two causal dilated convolutions beside a shortcut (Bai et al. 2018, arXiv:1803.01271), with batch for weight norm."""

    def __init__(self, before: int, after: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        past = nn.ZeroPad1d(((kernel - 1) * dilation, 0))  # a step sees itself and what was before
        self.body = nn.Sequential(
            past,
            nn.Conv1d(before, after, kernel, dilation=dilation, bias=False),
            nn.BatchNorm1d(after),
            nn.ReLU(),
            nn.Dropout(dropout),
            past,
            nn.Conv1d(after, after, kernel, dilation=dilation, bias=False),
            nn.BatchNorm1d(after),
            nn.ReLU(),
            nn.Dropout(dropout),
        )
        self.shortcut = nn.Conv1d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, before, steps) -> (batch, after, steps)."""
        outputs: Tensor = (self.body(x) + self.shortcut(x)).relu()
        return outputs


class Pooling(nn.Module):
    """The last step beside the mean of all: what the series ended with, and what it was like."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, steps) -> (batch, 2 * channels)."""
        return torch.cat((x[:, :, -1], x.mean(dim=2)), dim=1)


class Module(FamilyModule):
    """Blocks whose dilation doubles, as many as it takes until the last step sees the first."""

    def __init__(self, spec: Any, *, width: int, kernel: int, dropout: float, depth: int = 10, **training: Any) -> None:
        """`depth` is the upper limit of blocks."""
        super().__init__(spec, **training)
        channels, steps = spec.input.shape
        # A block of dilation d sees 2 (kernel - 1) d steps more; all together 2 (kernel - 1) (2 ** blocks - 1).
        needed = math.ceil(math.log2(1 + (steps - 1) / (2 * (kernel - 1)))) if steps > 1 else 1
        sizes = [channels, *[width] * min(depth, max(1, needed))]
        blocks = [
            Block(before, after, kernel, 2**place, dropout)
            for place, (before, after) in enumerate(itertools.pairwise(sizes))
        ]
        self.network = forecaster(spec, nn.Sequential(*blocks, Pooling(), nn.Linear(2 * width, spec.output_size)))
