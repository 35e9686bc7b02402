"""Small residual network for images. Its search space is `search_spaces/cnn.py`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ._augment import augment
from ._base import Batch, FamilyModule

_SIDE = 16
"""Pixels a side at most, in the first stage."""


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2016, arXiv:1603.05027, norm and activation first)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, channels, height, width), as it came."""
        outputs: Tensor = x + self.body(x)
        return outputs


class Pooled(nn.Module):
    """What each channel is on average, and at most: what is there, and whether it is anywhere."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, 2 channels)."""
        return torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)


class Module(FamilyModule):
    """A stem, then two stages of residual blocks; the second has half the resolution and twice the width.

    The stem halves sides of more than 16 pixels until they are no more: full resolution is where the time goes.
    """

    def __init__(
        self,
        spec: Any,
        *,
        width: int,
        blocks: int,
        shift: float,
        rotation: float,
        dropout: float,
        pooling: str = "average",
        **training: Any,
    ) -> None:
        """`shift` is the farthest an image is moved, as a share of its side; `rotation` the farthest it is turned, in degrees.

        `pooling` is `both` (average and maximum), or `average` alone, as models of before had it.
        """
        super().__init__(spec, **training)
        self.shift = shift
        self.rotation = rotation
        channels, *sides = spec.input.shape
        stride = 2 ** max(0, math.ceil(math.log2(min(sides) / _SIDE)))
        kernel = 2 * stride + 1
        self.network = nn.Sequential(
            nn.Conv2d(channels, width, kernel, stride=stride, padding=stride, bias=False),
            *(Block(width) for _ in range(blocks)),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False),
            *(Block(2 * width) for _ in range(blocks)),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            *([Pooled()] if pooling == "both" else [nn.AdaptiveAvgPool2d(1), nn.Flatten()]),
            nn.Dropout(dropout),
            nn.Linear((4 if pooling == "both" else 2) * width, spec.output_size),
        )

    def losses(self, batch: Batch, step: int) -> Iterable[Tensor]:
        """Train on moved and turned images."""
        return super().losses(batch._replace(inputs=augment(batch.inputs, self.shift, self.rotation)), step)
