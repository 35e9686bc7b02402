"""FT-Transformer: attention over a table's features. Its search space is `search_spaces/ft_transformer.py`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._table import TableModule, Tokens


class Module(TableModule):
    """A token per feature and one to read the answer from, through transformer blocks (Gorishniy et al. 2021, arXiv:2106.11959)."""

    def __init__(
        self,
        spec: Any,
        *,
        blocks: int,
        width: int,
        dropout: float,
        heads: int = 4,
        embedding: str = "none",
        **training: Any,
    ) -> None:
        """`width` is a token's length, a multiple of `heads`; `embedding` what becomes of numbers: see `_table.Numbers`."""
        super().__init__(spec, **training)
        if width % heads:
            raise ValueError(f"width must be a multiple of heads, but got {width} and {heads}.")
        self.network = nn.Sequential(
            Tokens(spec.input, width, embedding=embedding),
            WithAnswer(width),
            *(Block(width, heads, dropout) for _ in range(blocks)),
            Answer(),
            nn.LayerNorm(width),
            nn.ReLU(),
            nn.Linear(width, spec.output_size),
        )


class WithAnswer(nn.Module):
    """Puts a learned token before the others: (batch, tokens, width) -> (batch, 1 + tokens, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.randn(width) * width**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, 1 + tokens, width)."""
        return torch.cat((self.token.expand(x.shape[0], 1, -1), x), dim=1)


class Answer(nn.Module):
    """Reads the first token: (batch, tokens, width) -> (batch, width)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, width)."""
        return x[:, 0]


class Block(nn.Module):
    """Attention, then a gated linear unit, each after a norm and beside a shortcut: (batch, tokens, width), as it came."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        hidden = 4 * width // 3  # a gated unit of two thirds of the usual width has as many weights
        self.attention_norm = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.gated = nn.Linear(width, 2 * hidden)
        self.narrow = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, tokens, width)."""
        x = x + self.dropout(self.attend(self.attention_norm(x)))
        inner, gate = self.gated(self.feed_norm(x)).chunk(2, dim=-1)
        outputs: Tensor = x + self.narrow(self.dropout(inner * F.relu(gate)))
        return outputs

    def attend(self, x: Tensor) -> Tensor:
        """Return each token's mixture of the others' values."""
        split = self.queries_keys_values(x).unflatten(-1, (3, self.heads, -1))
        queries, keys, values = split.permute(2, 0, 3, 1, 4)  # each (batch, heads, tokens, width / heads)
        mixed = F.scaled_dot_product_attention(queries, keys, values)
        outputs: Tensor = self.mix(mixed.transpose(1, 2).flatten(2))
        return outputs
