"""Convolutions over words, each filter's maximum. Its search space is `search_spaces/text_cnn.py`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ._base import FamilyModule
from ._sequence import Words

_MOST_WORDS = 512
"""Of a longer text its two ends: each place costs three filters."""


class Network(nn.Module):
    """Vectors of words, filters of three lengths, maximum over the text, linear (Kim 2014, arXiv:1408.5882)."""

    def __init__(self, words: int, width: int, filters: int, window: int, dropout: float, outputs: int) -> None:
        super().__init__()
        self.words = Words(words, width, _MOST_WORDS)
        self.dropout = nn.Dropout(dropout)
        lengths = (window, window + 1, window + 2)
        self.filters = nn.ModuleList(
            # What padding="same" does, which warns of even lengths.
            nn.Sequential(nn.ZeroPad1d(((length - 1) // 2, length // 2)), nn.Conv1d(width, filters, length))
            for length in lengths
        )
        self.linear = nn.Linear(filters * len(lengths), outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, words) codes -> (batch, outputs)."""
        vectors, mask = self.words(x)
        inward = self.dropout(vectors).transpose(1, 2)  # (batch, width, words)
        # After ReLU nothing is below 0, so that padding set to 0 never is the maximum.
        found = [
            (convolution(inward).relu() * mask[:, None].to(inward.dtype)).amax(dim=2) for convolution in self.filters
        ]
        outputs: Tensor = self.linear(self.dropout(torch.cat(found, dim=1)))
        return outputs


class Module(FamilyModule):
    """Filters that look for phrases, wherever they stand in the text."""

    def __init__(self, spec: Any, *, width: int, filters: int, window: int, dropout: float, **training: Any) -> None:
        """`filters` of each length; the lengths are `window`, one more and two more words."""
        super().__init__(spec, **training)
        self.network = Network(spec.input.cardinality, width, filters, window, dropout, spec.output_size)
