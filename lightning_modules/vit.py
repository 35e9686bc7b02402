"""Small vision transformer. Its search space is `search_spaces/vit.py`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ._attention import Encoder
from ._augment import augment
from ._base import Batch, FamilyModule

_HEADS = 4


class Network(nn.Module):
    """Stem, learned positions, encoder, mean over all places, linear (Dosovitskiy et al. 2021, arXiv:2010.11929)."""

    def __init__(self, stem: nn.Module, places: int, width: int, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        self.positions = nn.Parameter(torch.randn(places, width) * 0.02)
        self.encoder = encoder
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, outputs)."""
        places = self.stem(x).flatten(2).transpose(1, 2)  # (batch, width, rows, columns) -> (batch, places, width)
        outputs: Tensor = self.head(self.encoder(places + self.positions).mean(dim=1))
        return outputs


class Module(FamilyModule):
    """An image is cut into at most `grid` patches a side; places attend to each other."""

    def __init__(
        self,
        spec: Any,
        *,
        depth: int,
        width: int,
        stem: str,
        shift: float,
        rotation: float,
        dropout: float,
        mirror: bool = False,
        grid: int = 8,
        **training: Any,
    ) -> None:
        """`width` is a multiple of 4, the number of heads; `stem` is `patches` or `convolutions`.

        `shift`, `rotation` and `mirror` say how a training image is changed, see `augment`.
        """
        super().__init__(spec, **training)
        self.shift, self.rotation, self.mirror = shift, rotation, mirror
        patch = max(2, math.ceil(max(spec.input.shape[1:]) / grid))
        first = _patches(spec.input.shape, patch, width) if stem == "patches" else _convolutions(spec, patch, width)
        halvings = [patch] if stem == "patches" else [2] * _halvings(patch)
        places = math.prod(_divided(side, halvings) for side in spec.input.shape[1:])
        head = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, spec.output_size))
        self.network = Network(first, places, width, Encoder(depth, width, _HEADS, dropout), head)

    def losses(self, batch: Batch, step: int) -> Iterable[Tensor]:
        """Train on moved, turned and mirrored images."""
        images = augment(batch.inputs, self.shift, self.rotation, self.mirror)
        return super().losses(batch._replace(inputs=images), step)


def _patches(shape: tuple[int, int, int], patch: int, width: int) -> nn.Module:
    """Cut into squares of `patch` pixels, 0 added right and below where the side is no multiple, each mapped linearly."""
    channels, height, breadth = shape
    padding = (0, -breadth % patch, 0, -height % patch)
    return nn.Sequential(nn.ZeroPad2d(padding), nn.Conv2d(channels, width, patch, stride=patch))


def _convolutions(spec: Any, patch: int, width: int) -> nn.Module:
    """Halve the side until a place stands for about a patch, with 3x3 convolutions (Xiao et al. 2021, arXiv:2106.14881)."""
    halvings = _halvings(patch)
    widths = [spec.input.shape[0], *(max(8, width // 2 ** (halvings - done)) for done in range(1, halvings + 1))]
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [
            nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers, nn.Conv2d(width, width, 1))


def _halvings(patch: int) -> int:
    return math.ceil(math.log2(patch))


def _divided(side: int, by: list[int]) -> int:
    """Places along a side that is divided again and again, rounded up each time."""
    for divisor in by:
        side = -(-side // divisor)
    return side
