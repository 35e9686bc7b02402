"""Recurrent network for texts and series, LSTM or GRU. Its search space is `search_spaces/rnn.py`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ._base import FamilyModule
from ._sequence import first_layer, forecaster, pooled, turned

_CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}


class Layer(nn.Module):
    """A recurrent layer in one direction, or in both (Schuster and Paliwal 1997).

    The way back is a layer of its own over the turned row: torch's bidirectional layer would start it in the padding.
    """

    def __init__(self, cell: str, before: int, size: int, is_bidirectional: bool) -> None:
        super().__init__()
        self.onward = _CELLS[cell](before, size, batch_first=True)
        self.back = _CELLS[cell](before, size, batch_first=True) if is_bidirectional else None

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, length, before) -> states at each place (batch, length, states), and the same where each way has read all."""
        onward = self.onward(x)[0]
        if self.back is None:
            return onward, onward
        back = self.back(turned(x, mask))[0]
        return torch.cat((onward, turned(back, mask)), dim=2), torch.cat((onward, back), dim=2)


class Network(nn.Module):
    """First layer, recurrent layers, pooling, linear."""

    def __init__(self, first: nn.Module, layers: list[Layer], pooling: str, dropout: float, head: nn.Module) -> None:
        super().__init__()
        self.first = first
        self.layers = nn.ModuleList(layers)
        self.pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Codes (batch, words) or series (batch, channels, steps) -> (batch, outputs)."""
        states, mask = self.first(x)
        ways = states
        for layer in self.layers:
            states, ways = layer(self.dropout(states), mask)
        found = pooled(ways if self.pooling == "last" else states, mask, self.pooling)
        outputs: Tensor = self.head(self.dropout(found))
        return outputs


class Module(FamilyModule):
    """A state that walks along the row; its gates decide what it remembers (Hochreiter and Schmidhuber 1997)."""

    def __init__(
        self,
        spec: Any,
        *,
        cell: str,
        depth: int,
        width: int,
        bidirectional: bool,
        pooling: str,
        dropout: float,
        **training: Any,
    ) -> None:
        """`cell` is `lstm` or `gru`; `pooling` of the states is `mean`, `max` or `last`; `width` is that of either direction."""
        super().__init__(spec, **training)
        states = 2 * width if bidirectional else width
        layers = [Layer(cell, states if place else width, width, bidirectional) for place in range(depth)]
        head = nn.Linear(states, spec.output_size)
        network = Network(first_layer(spec.input, width), layers, pooling, dropout, head)
        self.network = forecaster(spec, network)
