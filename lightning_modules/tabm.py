"""TabM: an ensemble of perceptrons in one network, for tables and vectors. Its search space is `search_spaces/tabm.py`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ._base import Batch
from ._table import Flat, TableModule


class Module(TableModule):
    """Members share their weights and are trained side by side, each on its own loss (Gorishniy et al. 2024, arXiv:2410.24210)."""

    network: Ensemble

    def __init__(
        self,
        spec: Any,
        *,
        members: int,
        depth: int,
        width: int,
        dropout: float,
        embedding: str = "ple",
        dim: int = 8,
        **training: Any,
    ) -> None:
        """`embedding` is what becomes of numbers, `dim` the length of the vector they become: see `_table.Numbers`."""
        super().__init__(spec, **training)
        front = Flat(spec.input, embedding=embedding, dim=dim)
        self.network = Ensemble(front, members, [width] * depth, spec.output_size, dropout, is_class=bool(spec.classes))

    def losses(self, batch: Batch, step: int) -> Iterable[Tensor]:
        """Train each member on its own outputs: the loss of their mean would make them lean on each other."""
        outputs = self.network.members(batch.inputs).flatten(0, 1)  # (members * batch, outputs)
        yield self.descended(outputs, batch.target.repeat(len(outputs) // len(batch.target)))


class Ensemble(nn.Module):
    """Encoded rows (batch, features) -> the members' mean (batch, outputs): of probabilities, as logits, or of numbers."""

    def __init__(
        self, front: Flat, members: int, sizes: list[int], outputs: int, dropout: float, *, is_class: bool
    ) -> None:
        super().__init__()
        self.front = front
        self.is_class = is_class
        shared = [SharedLinear(members, *both) for both in itertools.pairwise([front.width, *sizes])]
        _tell_apart(shared[0].inward, front.chunks)
        self.hidden = nn.Sequential(*(layer for linear in shared for layer in (linear, nn.ReLU(), nn.Dropout(dropout))))
        self.head = OwnLinear(members, sizes[-1], outputs)

    def members(self, x: Tensor) -> Tensor:
        """Return each member's outputs (members, batch, outputs)."""
        outputs: Tensor = self.head(self.hidden(self.front(x)))
        return outputs

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, outputs)."""
        outputs = self.members(x)
        if not self.is_class:
            return outputs.mean(dim=0)
        return torch.logsumexp(outputs.log_softmax(dim=-1), dim=0) - math.log(len(outputs))


class SharedLinear(nn.Module):
    """A linear layer per member: one weight, scaled by each on its rows and columns (Wen et al. 2020, arXiv:2002.06715).

    (batch, before) or (members, batch, before) -> (members, batch, after). The weights are multiplied out, rather than inputs and
    outputs scaled: fewer numbers to move for many rows, 14 ms a step and not 20 (2 layers, 16 members, 250 rows, one core).
    """

    def __init__(self, members: int, before: int, after: int) -> None:
        super().__init__()
        bound = before**-0.5
        self.weight = nn.Parameter(torch.empty(before, after).uniform_(-bound, bound))
        self.inward = nn.Parameter(torch.ones(members, before))
        self.outward = nn.Parameter(torch.ones(members, after))
        self.bias = nn.Parameter(torch.empty(members, after).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """Return (members, batch, after)."""
        weights = self.inward.unsqueeze(2) * self.weight * self.outward.unsqueeze(1)  # (members, before, after)
        return torch.matmul(x, weights) + self.bias.unsqueeze(1)


class OwnLinear(nn.Module):
    """A linear layer per member that shares nothing: (members, batch, before) -> (members, batch, after)."""

    def __init__(self, members: int, before: int, after: int) -> None:
        super().__init__()
        bound = before**-0.5
        self.weight = nn.Parameter(torch.empty(members, before, after).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, 1, after).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """Return (members, batch, after)."""
        return torch.baddbmm(self.bias, x, self.weight)


def _tell_apart(scales: nn.Parameter, chunks: tuple[int, ...]) -> None:
    """Draw each member's own scale for each feature's vector: all that sets members apart at first."""
    drawn = torch.randn(len(scales), len(chunks))
    signs = drawn.sign() if max(chunks) == 1 else drawn  # as the paper's code draws, without and with embeddings
    with torch.no_grad():
        scales.copy_(signs.repeat_interleave(torch.tensor(chunks), dim=1))
