"""Transformer encoder for sequences of vectors. Knows neither words nor pictures."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_IGNORED = -1e4
"""Added to the score of padding: exp of it is exactly 0, and it fits a 16-bit float. With -inf a row of padding alone is NaN."""


class Attention(nn.Module):
    """Multi-head self-attention (Vaswani et al. 2017, arXiv:1706.03762)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.inward = nn.Linear(width, 3 * width)
        self.outward = nn.Linear(width, width)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """(batch, length, width) -> the same; `bias` (batch, 1, 1, length) is added to the scores."""
        parts = self.inward(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask=bias)
        outputs: Tensor = self.outward(mixed.transpose(1, 2).flatten(2))  # (batch, heads, length, size) -> as it came
        return outputs


class Layer(nn.Module):
    """Attention and a two-layer network, each beside a shortcut, norm first (Xiong et al. 2020, arXiv:2002.04745)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.dropout = nn.Dropout(dropout)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Linear(2 * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """(batch, length, width) -> the same."""
        x = x + self.dropout(self.attention(self.norm(x), bias))
        outputs: Tensor = x + self.mlp(x)
        return outputs


class Encoder(nn.Module):
    """Layers and a last norm. `mask` (batch, length) is True where there is something to attend to."""

    def __init__(self, depth: int, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(width, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(batch, length, width) -> the same."""
        bias = None if mask is None else torch.where(mask, 0.0, _IGNORED).to(x.dtype)[:, None, None]
        for layer in self.layers:
            x = layer(x, bias)
        outputs: Tensor = self.norm(x)
        return outputs
