"""Small transformer encoder for texts and series. Its search space is `search_spaces/transformer.py`."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from ._attention import Encoder
from ._base import FamilyModule
from ._sequence import MOST_WORDS, first_layer, forecaster, pooled

_HEADS = 4


class Network(nn.Module):
    """First layer, positions as sines, encoder, pooling, linear (Vaswani et al. 2017, arXiv:1706.03762)."""

    positions: Tensor

    def __init__(
        self, first: nn.Module, length: int, width: int, encoder: nn.Module, pooling: str, head: nn.Module
    ) -> None:
        super().__init__()
        self.first = first
        self.register_buffer("positions", 0.1 * sines(length, width), persistent=False)
        self.encoder = encoder
        self.pooling = pooling
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Codes (batch, words) or series (batch, channels, steps) -> (batch, outputs)."""
        vectors, mask = self.first(x)
        found = self.encoder(vectors + self.positions.to(vectors.dtype), mask)
        outputs: Tensor = self.head(pooled(found, mask, self.pooling))
        return outputs


class Module(FamilyModule):
    """Words or steps attend to each other; padding is attended to by none."""

    def __init__(self, spec: Any, *, depth: int, width: int, pooling: str, dropout: float, **training: Any) -> None:
        """`width` is a multiple of 4, the number of heads; `pooling` is `mean` or `max`."""
        super().__init__(spec, **training)
        head = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, spec.output_size))
        length = spec.input.shape[-1]
        network = Network(
            first_layer(spec.input, width),
            min(length, MOST_WORDS) if spec.input.kind == "text" else length,
            width,
            Encoder(depth, width, _HEADS, dropout),
            pooling,
            head,
        )
        self.network = forecaster(spec, network)


def sines(length: int, width: int) -> Tensor:
    """Sines and cosines of each place (length, width), wavelengths from 2 pi to 20,000 pi."""
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angles = torch.arange(length)[:, None] * rates
    return torch.stack((angles.sin(), angles.cos()), dim=2).flatten(1)
