"""Several networks and a temperature as one plain module. Imports torch, so it is imported only when a model is built."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Combined(nn.Module):
    """The weighted mean of its networks, calibrated: one module for `torch.export`, `load_model` and scoring alike.

    For classes it returns log(mean of probabilities) / temperature, as logits: pooled first and calibrated then, since a mean of
    calibrated members is underconfident (Rahaman and Thiery, "Uncertainty Quantification and Deep Ensembles", NeurIPS 2021,
    arXiv:2007.08792). For numbers it returns their mean.
    """

    def __init__(
        self, networks: Sequence[nn.Module], weights: Sequence[float], temperature: float, classes: int
    ) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.shares = tuple(weights)
        self.temperature = temperature
        self.classes = classes

    def forward(self, x: Tensor) -> Tensor:
        """Return logits or numbers (batch, outputs) for encoded inputs (batch, *shape)."""
        outputs = [network(x) for network in self.networks]
        if not self.classes:
            return torch.stack([share * one for share, one in zip(self.shares, outputs, strict=True)]).sum(dim=0)
        if len(outputs) == 1:
            return outputs[0] / self.temperature
        logs = [one.log_softmax(dim=1) + math.log(share) for share, one in zip(self.shares, outputs, strict=True)]
        return torch.logsumexp(torch.stack(logs), dim=0) / self.temperature


def combine(networks: Sequence[nn.Module], weights: Sequence[float], temperature: float, classes: int) -> nn.Module:
    """Return the only network itself where nothing is to be done, so that a plain model stays plain."""
    if len(networks) == 1 and (temperature == 1.0 or not classes):
        return networks[0].eval()
    return Combined(networks, weights, temperature, classes).eval()
