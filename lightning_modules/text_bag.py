"""Sum of the vectors of words and pairs of words; trains in seconds. Its search space is `search_spaces/text_bag.py`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._base import FamilyModule

_FACTORS = (7919, 104729)
"""Primes: a pair's two codes are mixed by them before the remainder is taken. In a different order they are another pair."""


class Pairs(nn.Embedding):
    """A vector per hashed pair of words."""

    span = 2
    """Words that one vector stands for, from its place on: whoever explains a prediction divides it among them."""


class Network(nn.Module):
    """Vectors of words and of hashed pairs, their scaled sum, linear (after Joulin et al. 2016, arXiv:1607.01759)."""

    def __init__(self, words: int, width: int, buckets: int, power: float, dropout: float, outputs: int) -> None:
        """`buckets` of 0 leaves pairs out; the sum is divided by the number of vectors to the power of `power`."""
        super().__init__()
        self.buckets, self.power = buckets, power
        self.words = nn.Embedding(words, width, padding_idx=0)
        self.pairs = Pairs(buckets + 1, width, padding_idx=0) if buckets else None
        for embedding in (self.words, self.pairs):
            if embedding is not None:
                nn.init.uniform_(embedding.weight, -1 / width, 1 / width)
                nn.init.zeros_(embedding.weight[0].detach())
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, words) codes -> (batch, outputs)."""
        codes = x.long()
        total, count = self.words(codes).sum(dim=1), (codes > 0).sum(dim=1)
        if self.pairs is not None:
            pairs = self._pairs(codes)
            total, count = total + self.pairs(pairs).sum(dim=1), count + (pairs > 0).sum(dim=1)
        scaled = total / count.clamp(min=1)[:, None].to(total.dtype) ** self.power
        outputs: Tensor = self.linear(self.dropout(scaled))
        return outputs

    def _pairs(self, codes: Tensor) -> Tensor:
        """(batch, words) -> (batch, words) hashes 1..buckets of neighbours; 0 where the second is padding."""
        following = F.pad(codes[:, 1:], (0, 1))
        hashes = (codes * _FACTORS[0] + following * _FACTORS[1]) % self.buckets + 1
        return torch.where(following > 0, hashes, 0)


class Module(FamilyModule):
    """A text's class or number from the words and pairs that are in it, whatever their order."""

    def __init__(
        self, spec: Any, *, width: int, buckets: int, dropout: float, scale: str = "mean", **training: Any
    ) -> None:
        """`buckets` is the number of vectors that all pairs of neighbours share; 0 looks at single words alone.

        `scale` is `root` (of the number of vectors: a few words that matter still show in a text of thousands), or `mean`, as models
        of before had it.
        """
        super().__init__(spec, **training)
        power = {"mean": 1.0, "root": 0.5}[scale]
        self.network = Network(spec.input.cardinality, width, buckets, power, dropout, spec.output_size)
