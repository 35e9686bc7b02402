"""Residual network for tables and vectors. Its search space is `search_spaces/resnet_table.py`."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ._table import Flat, TableModule


class Block(nn.Module):
    """Norm, linear, ReLU, dropout, linear beside a shortcut (Gorishniy et al. 2021, arXiv:2106.11959).

    The norm is over a layer and not over a batch as in the paper: a small table's batch may have one row.
    """

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, width), as it came."""
        outputs: Tensor = x + self.body(x)
        return outputs


class Module(TableModule):
    """A linear layer, then residual blocks, each `expansion` times as wide inside; at last norm, ReLU and a linear layer."""

    def __init__(
        self,
        spec: Any,
        *,
        blocks: int,
        width: int,
        dropout: float,
        expansion: int = 2,
        embedding: str = "none",
        **training: Any,
    ) -> None:
        """`embedding` is what becomes of numbers: see `_table.Numbers`."""
        super().__init__(spec, **training)
        front = Flat(spec.input, embedding=embedding)
        self.network = nn.Sequential(
            front,
            nn.Linear(front.width, width),
            *(Block(width, expansion * width, dropout) for _ in range(blocks)),
            nn.LayerNorm(width),
            nn.ReLU(),
            nn.Linear(width, spec.output_size),
        )
