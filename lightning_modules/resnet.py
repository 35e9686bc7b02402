"""Pre-activation residual network of several stages for images. Its search space is `search_spaces/resnet.py`."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from ._augment import augment
from ._base import Batch, FamilyModule

_LEAST_SIDE = 4
"""A stage works on at least this many pixels a side."""
_LARGE_SIDE = 40
"""A side beyond this is halved before the first stage: full resolution is where the time goes."""


class Block(nn.Module):
    """Norm, ReLU and 3x3 convolution, twice, beside a shortcut (He et al. 2016, arXiv:1603.05027, figure 4e)."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        """A block that changes width or resolution takes its shortcut after the first activation, through a 1x1 convolution."""
        super().__init__()
        self.activation = nn.Sequential(nn.BatchNorm2d(before), nn.ReLU())
        self.shortcut = None
        if stride > 1 or before != after:
            self.shortcut = nn.Conv2d(before, after, 1, stride=stride, bias=False)
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, before, height, width) -> (batch, after, height / stride, width / stride), rounded up."""
        activated = self.activation(x)
        outputs: Tensor = (x if self.shortcut is None else self.shortcut(activated)) + self.body(activated)
        return outputs


class Module(FamilyModule):
    """A stem, then stages of residual blocks; each stage has half the resolution and twice the width of the one before."""

    def __init__(
        self,
        spec: Any,
        *,
        width: int,
        stages: int,
        blocks: int,
        shift: float,
        rotation: float,
        dropout: float,
        mirror: bool = False,
        **training: Any,
    ) -> None:
        """`width` is the first stage's; `stages` is an upper limit: none works on less than 4 pixels a side.

        `shift`, `rotation` and `mirror` say how a training image is changed, see `augment`.
        """
        super().__init__(spec, **training)
        self.shift, self.rotation, self.mirror = shift, rotation, mirror
        channels, *sides = spec.input.shape
        stem_stride = 2 if min(sides) > _LARGE_SIDE else 1
        widths = [width * 2**stage for stage in range(_fitting(stages, -(-min(sides) // stem_stride)))]
        layers: list[nn.Module] = [Block(width, width, 1) for _ in range(blocks)]
        for before, after in itertools.pairwise(widths):
            layers += [Block(before, after, 2), *(Block(after, after, 1) for _ in range(blocks - 1))]
        self.network = nn.Sequential(
            nn.Conv2d(channels, width, 3, stride=stem_stride, padding=1, bias=False),
            *layers,
            nn.BatchNorm2d(widths[-1]),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(widths[-1], spec.output_size),
        )

    def losses(self, batch: Batch, step: int) -> Iterable[Tensor]:
        """Train on moved, turned and mirrored images."""
        images = augment(batch.inputs, self.shift, self.rotation, self.mirror)
        return super().losses(batch._replace(inputs=images), step)


def _fitting(stages: int, side: int) -> int:
    """The number of stages whose sides, each half of the one before, stay large enough; at least one."""
    fitting = itertools.takewhile(lambda stage: -(-side // 2**stage) >= _LEAST_SIDE, range(stages))
    return max(1, sum(1 for _ in fitting))
