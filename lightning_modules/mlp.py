"""Multi-layer perceptron for tables, vectors and small images. Its search space is `search_spaces/mlp.py`."""

from __future__ import annotations

import itertools
import math
from typing import Any

from torch import nn

from ._base import FamilyModule


class Module(FamilyModule):
    """Linear, layer norm, ReLU, dropout, repeated; an image is flattened first."""

    def __init__(self, spec: Any, *, depth: int, width: int, dropout: float, **training: Any) -> None:
        super().__init__(spec, **training)
        sizes = [math.prod(spec.input.shape), *[width] * depth]
        hidden = [
            layer
            for before, after in itertools.pairwise(sizes)
            for layer in (nn.Linear(before, after), nn.LayerNorm(after), nn.ReLU(), nn.Dropout(dropout))
        ]
        self.network = nn.Sequential(nn.Flatten(), *hidden, nn.Linear(sizes[-1], spec.output_size))
