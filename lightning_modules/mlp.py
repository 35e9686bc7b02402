"""Multi-layer perceptron for tables, vectors and small images. Its search space is `search_spaces/mlp.py`."""

from __future__ import annotations

import itertools
import math
from typing import Any

from torch import nn

from ._table import Flat, TableModule


class Module(TableModule):
    """Linear, layer norm, ReLU, dropout, repeated; an image is flattened first."""

    def __init__(
        self, spec: Any, *, depth: int, width: int, dropout: float, embedding: str = "none", **training: Any
    ) -> None:
        """`embedding` is what becomes of a table's numbers: see `_table.Numbers`."""
        super().__init__(spec, **training)
        field = spec.input
        # What lies before the first layer keeps its one place, so that weights from before there were embeddings still fit.
        front: nn.Module = nn.Flatten()
        sizes = [math.prod(field.shape), *[width] * depth]
        if field.kind == "table" and (embedding != "none" or any(field.cardinalities)):
            front = Flat(field, embedding=embedding)
            sizes[0] = front.width
        hidden = [
            layer
            for before, after in itertools.pairwise(sizes)
            for layer in (nn.Linear(before, after), nn.LayerNorm(after), nn.ReLU(), nn.Dropout(dropout))
        ]
        self.network = nn.Sequential(front, *hidden, nn.Linear(sizes[-1], spec.output_size))
