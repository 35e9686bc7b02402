"""Random changes of training images, in plain torch. Knows no model."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def augment(images: Tensor, shift: float, rotation: float, mirror: bool = False) -> Tensor:
    """Move and turn each image (batch, channels, height, width) at random; what comes in from outside repeats the border.

    `shift` is a share of the side, `rotation` in degrees; each is drawn uniformly up to that in both directions. `mirror` swaps
    left and right in half of the images.
    """
    if shift == 0 and rotation == 0:
        return _mirrored(images) if mirror else images
    uniform = torch.rand(3, len(images), device=images.device) * 2 - 1
    angle = uniform[0] * math.radians(rotation)
    cos, sin = angle.cos(), angle.sin()
    # affine_grid measures in half sides
    rows = torch.stack((cos, -sin, 2 * shift * uniform[1], sin, cos, 2 * shift * uniform[2]), dim=1)
    grid = F.affine_grid(rows.view(-1, 2, 3).to(images.dtype), list(images.shape), align_corners=False)
    moved = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return _mirrored(moved) if mirror else moved


def _mirrored(images: Tensor) -> Tensor:
    chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
    return torch.where(chosen, images.flip(-1), images)
