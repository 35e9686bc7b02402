"""The front of every table family: a row of numbers and codes becomes the vector or the tokens that a network reads. Knows no family.

A row is one tensor (batch, features); `spec.input.cardinalities` says which features are codes. Numbers come scaled to about N(0, 1).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import torch
from torch import Tensor, nn

from ._base import FamilyModule

EMBEDDINGS = ("none", "ple", "periodic")
"""Of numbers: as they are, piecewise linear, or periodic."""
_UNSEEN_RATE = 0.02
"""Share of codes that training replaces by 0: else nothing would teach the embedding of a code that no training row has."""
_BINS = 16
_OUTERMOST = 3.0
"""Where the first and the last bin end, in standard deviations; beyond them only the linear part goes on."""
_WAVES = 16
_WAVE_SPREAD = 0.1
"""Standard deviation of the frequencies at first: RealMLP's, in cycles per standard deviation of a number."""
_WIDEST = 2048
"""What the embeddings of many numbers add up to at most: hundreds of numbers get fewer dimensions each."""
_ROWS_AT_ONCE = 4096


class TableModule(FamilyModule):
    """Evaluates many rows in slices: what a table's network makes of a row may be a thousand times as long as the row."""

    def forward(self, x: Tensor) -> Tensor:
        """Return logits or numbers (batch, outputs) for encoded inputs (batch, *shape)."""
        outputs = [self.network(rows) for rows in x.split(_ROWS_AT_ONCE)]
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs)


class Flat(nn.Module):
    """Rows (batch, features) -> (batch, width): embedded numbers, then embedded codes."""

    def __init__(self, field: Any, *, embedding: str = "none", dim: int = 8) -> None:
        """`dim` is the length of a number's vector, unless the number stays as it is (`none`)."""
        super().__init__()
        self.columns = Columns(field)
        count, sizes = self.columns.count, self.columns.sizes
        dim = 1 if embedding == "none" else max(2, min(dim, _WIDEST // max(1, count)))
        self.numbers = Numbers(count, dim, embedding) if count and embedding != "none" else nn.Flatten()
        self.codes = CodeGroups(sizes) if sizes else None
        self.chunks: tuple[int, ...] = (dim,) * count + (self.codes.dims if self.codes else ())
        """Lengths of the features' vectors, in the order in which they stand in a row's."""
        self.width = sum(self.chunks)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, width)."""
        numbers, codes = self.columns(x)
        parts = [self.numbers(numbers).flatten(1)] if self.columns.count else []
        if self.codes is not None:
            parts.append(self.codes(codes))
        return torch.cat(parts, dim=1)


class Tokens(nn.Module):
    """Rows (batch, features) -> (batch, tokens, dim): one token per feature (Gorishniy et al. 2021, arXiv:2106.11959).

    Of more features than `most`, neighbours share a token, the sum of theirs: attention's cost grows with the square of tokens.
    """

    def __init__(self, field: Any, dim: int, *, embedding: str = "none", most: int = 64) -> None:
        super().__init__()
        self.columns = Columns(field)
        count, sizes = self.columns.count, self.columns.sizes
        self.numbers = Numbers(count, dim, embedding) if count else None
        self.codes = Codes(sizes, dim) if sizes else None
        self.share = math.ceil((count + len(sizes)) / most)
        """Features per token."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, tokens, dim)."""
        numbers, codes = self.columns(x)
        parts = [self.numbers(numbers)] if self.numbers is not None else []
        if self.codes is not None:
            parts.append(self.codes(codes))
        tokens = torch.cat(parts, dim=1)  # (batch, features, dim)
        if self.share == 1:
            return tokens
        tokens = nn.functional.pad(tokens, (0, 0, 0, -tokens.shape[1] % self.share))
        return tokens.unflatten(1, (-1, self.share)).sum(dim=2) / math.sqrt(self.share)


class Columns(nn.Module):
    """Splits a row into its numbers (batch, numbers), floats, and its codes (batch, categories), int64."""

    number_places: Tensor
    code_places: Tensor
    limits: Tensor

    def __init__(self, field: Any) -> None:
        super().__init__()
        cardinalities = field.cardinalities or (0,) * math.prod(field.shape)
        numbers = [place for place, cardinality in enumerate(cardinalities) if not cardinality]
        categories = [place for place, cardinality in enumerate(cardinalities) if cardinality]
        self.count = len(numbers)
        self.sizes = tuple(cardinalities[place] for place in categories)
        # The spec tells all three anew, so that they need no place among the weights.
        self.register_buffer("number_places", torch.tensor(numbers, dtype=torch.int64), persistent=False)
        self.register_buffer("code_places", torch.tensor(categories, dtype=torch.int64), persistent=False)
        self.register_buffer("limits", torch.tensor(self.sizes, dtype=torch.int64), persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return numbers and codes; a code outside its range is unseen, and so are a few at random while training."""
        if not self.sizes:
            return x, x[:, :0]
        codes = x.index_select(1, self.code_places).long()
        known = (codes > 0) & (codes < self.limits)
        if self.training:
            known = known & (torch.rand(codes.shape, device=codes.device) >= _UNSEEN_RATE)
        return x.index_select(1, self.number_places), codes * known


class Numbers(nn.Module):
    """Each number x becomes the vector `x * weight + bias + basis(x) @ bend`: (batch, numbers) -> (batch, numbers, dim).

    `none` has no basis. `ple` is the linear embedding of piecewise linear encodings (Gorishniy et al. 2022, arXiv:2203.05556), begun
    at the plain line as in TabM (arXiv:2410.24210); `periodic` is close to RealMLP's (Holzmüller et al. 2024, arXiv:2407.04491).
    """

    def __init__(self, count: int, dim: int, embedding: str) -> None:
        """Raises ValueError for an unknown embedding."""
        super().__init__()
        if embedding not in EMBEDDINGS:
            raise ValueError(f"embedding must be none, ple or periodic, but got {embedding!r}.")
        bound = dim**-0.5
        self.weight = nn.Parameter(torch.empty(count, dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(count, dim).uniform_(-bound, bound))
        if embedding == "none":
            self.basis: nn.Module | None = None
            return
        self.basis = PiecewiseLinear() if embedding == "ple" else Periodic(count)
        bend = torch.zeros(count, _BINS, dim) if embedding == "ple" else torch.randn(count, _WAVES, dim) / _WAVES
        self.bend = nn.Parameter(bend)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, numbers, dim)."""
        line = x.unsqueeze(-1) * self.weight + self.bias
        return line if self.basis is None else line + torch.einsum("bns,nsd->bnd", self.basis(x), self.bend)


class PiecewiseLinear(nn.Module):
    """How far a number has come through each bin, 0..1: (batch, numbers) -> (batch, numbers, bins)."""

    begins: Tensor
    sizes: Tensor

    def __init__(self) -> None:
        super().__init__()
        inner = [NormalDist().inv_cdf(bin / _BINS) for bin in range(1, _BINS)]
        edges = torch.tensor([-_OUTERMOST, *inner, _OUTERMOST])
        self.register_buffer("begins", edges[:-1], persistent=False)
        self.register_buffer("sizes", edges.diff(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, numbers, bins)."""
        return ((x.unsqueeze(-1) - self.begins) / self.sizes).clamp(0.0, 1.0)


class Periodic(nn.Module):
    """Cosines of learned frequency and phase: (batch, numbers) -> (batch, numbers, waves)."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.frequency = nn.Parameter(torch.randn(count, _WAVES) * 2 * math.pi * _WAVE_SPREAD)
        self.phase = nn.Parameter(torch.empty(count, _WAVES).uniform_(-math.pi, math.pi))

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, numbers, waves)."""
        return torch.cos(x.unsqueeze(-1) * self.frequency + self.phase)


class Codes(nn.Module):
    """Codes (batch, categories) -> (batch, categories, dim): all categories' vectors lie in one table, one after the other."""

    begins: Tensor

    def __init__(self, sizes: tuple[int, ...], dim: int) -> None:
        super().__init__()
        begins = torch.tensor([0, *sizes[:-1]], dtype=torch.int64).cumsum(0)
        self.register_buffer("begins", begins, persistent=False)
        self.vectors = nn.Embedding(sum(sizes), dim)
        nn.init.normal_(self.vectors.weight, std=dim**-0.5)  # as long as a number of variance 1

    def forward(self, codes: Tensor) -> Tensor:
        """Return (batch, categories, dim)."""
        vectors: Tensor = self.vectors(codes + self.begins)
        return vectors


class CodeGroups(nn.Module):
    """Codes (batch, categories) -> (batch, width): longer vectors where there are more codes, one table for each length."""

    order: Tensor

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        lengths = [_length(size) for size in sizes]
        groups = [[place for place, one in enumerate(lengths) if one == length] for length in sorted(set(lengths))]
        self.dims = tuple(lengths[place] for group in groups for place in group)
        """Lengths of the vectors, in the order in which they stand in a row's."""
        self.tables = nn.ModuleList(Codes(tuple(sizes[p] for p in group), lengths[group[0]]) for group in groups)
        self.parts = [len(group) for group in groups]
        order = torch.tensor([place for group in groups for place in group], dtype=torch.int64)
        self.register_buffer("order", order, persistent=False)

    def forward(self, codes: Tensor) -> Tensor:
        """Return (batch, width)."""
        groups = codes.index_select(1, self.order).split(self.parts, dim=1)
        return torch.cat([table(group).flatten(1) for table, group in zip(self.tables, groups, strict=True)], dim=1)


def _length(codes: int) -> int:
    """The next power of two to 1.6 n^0.56, a rule of fastai's, and 32 at most: few lengths mean few look-ups."""
    return int(min(32, 2 ** round(math.log2(1.6 * codes**0.56))))
