"""Small residual network for images, with augmentation in plain torch. Its search space is `search_spaces/cnn.py`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._base import Batch, FamilyModule


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


class Module(FamilyModule):
    """A stem, then two stages of residual blocks; the second has half the resolution and twice the width."""

    def __init__(
        self, spec: Any, *, width: int, blocks: int, shift: float, rotation: float, dropout: float, **training: Any
    ) -> None:
        """`shift` is the farthest an image is moved, as a share of its side; `rotation` the farthest it is turned, in degrees."""
        super().__init__(spec, **training)
        self.shift = shift
        self.rotation = rotation
        channels = spec.input.shape[0]
        self.network = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            *(Block(width) for _ in range(blocks)),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False),
            *(Block(2 * width) for _ in range(blocks)),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, spec.output_size),
        )

    def losses(self, batch: Batch, step: int) -> Iterable[Tensor]:
        """Train on moved and turned images."""
        return super().losses(batch._replace(inputs=augment(batch.inputs, self.shift, self.rotation)), step)


def augment(images: Tensor, shift: float, rotation: float) -> Tensor:
    """Move and turn each image (batch, channels, height, width) at random; what comes in from outside repeats the border.

    `shift` is a share of the side, `rotation` in degrees; each is drawn uniformly up to that in both directions.
    """
    if shift == 0 and rotation == 0:
        return images
    uniform = torch.rand(3, len(images), device=images.device) * 2 - 1
    angle = uniform[0] * math.radians(rotation)
    cos, sin = angle.cos(), angle.sin()
    # affine_grid measures in half sides
    rows = torch.stack((cos, -sin, 2 * shift * uniform[1], sin, cos, 2 * shift * uniform[2]), dim=1)
    grid = F.affine_grid(rows.view(-1, 2, 3).to(images.dtype), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)
