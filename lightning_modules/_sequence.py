"""First layers and last ones of what reads a sequence: words of a text, or steps of a series. Knows nothing of what lies between.

A text is (batch, words) codes held as floats: 0 is padding and stands behind the words, 1 an unknown word. A series is
(batch, channels, steps). Both become vectors (batch, length, width) and a mask (batch, length) that is True at a word or step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_FAR_BELOW = -1e4
"""Less than any activation, and it fits a 16-bit float."""


_WORD_SCALE = 0.1
"""Of a word's first vector: torch's scale of 1 is noise that a rare word never gets rid of."""


MOST_WORDS = 240
"""Of a text that a network walks through word by word, or compares each with each: of a longer one its two ends."""


class Words(nn.Module):
    """A learned vector per word; padding's is 0 and stays so."""

    def __init__(self, words: int, width: int, most: int = MOST_WORDS) -> None:
        """`most`: words of a text that are returned, see `ends`."""
        super().__init__()
        self.most = most
        self.embedding = nn.Embedding(words, width, padding_idx=0)
        with torch.no_grad():
            self.embedding.weight.mul_(_WORD_SCALE)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, words) codes -> (batch, words read, width), (batch, words read)."""
        codes = x.long()
        # All words have a vector first: whoever explains a prediction asks for one at each place.
        return ends(self.embedding(codes), codes > 0, self.most)


class Steps(nn.Module):
    """Each step of a series, mapped linearly; none is masked."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, channels, steps) -> (batch, steps, width), (batch, steps)."""
        return self.linear(x.transpose(1, 2)), torch.ones_like(x[:, 0], dtype=torch.bool)


def first_layer(field: Any, width: int) -> nn.Module:
    """Return what turns the rows of `field`, a text or a series, into vectors and a mask."""
    if field.kind == "text":
        return Words(field.cardinality, width)
    return Steps(field.shape[0], width)


def ends(x: Tensor, mask: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """(batch, length, width), (batch, length) -> at most `most` places: of a row that has more, the first half and the last."""
    if x.shape[1] <= most:
        return x, mask
    places = torch.arange(most, device=x.device)
    skipped = (mask.sum(dim=1, keepdim=True) - most).clamp(min=0)
    places = places + torch.where(places < most // 2, 0, skipped)  # (batch, most)
    return x.gather(1, places[:, :, None].expand(-1, -1, x.shape[2])), mask.gather(1, places)


class Corrected(nn.Module):
    """A linear map of the whole window to the next steps, and what a network adds to it.

    Alone it is a strong forecaster (Zeng et al. 2023, arXiv:2205.13504); a network that pools over steps would have to learn anew
    which of them to copy. It begins at zero: what is not learned leaves the base that forecasts are told from.
    """

    def __init__(self, network: nn.Module, numbers: int, outputs: int) -> None:
        super().__init__()
        self.network = network
        self.linear = nn.Linear(numbers, outputs)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, steps) -> (batch, outputs)."""
        outputs: Tensor = self.linear(x.flatten(1)) + self.network(x)
        return outputs


def forecaster(spec: Any, network: nn.Module) -> nn.Module:
    """Return the network itself, or, where the next steps of a series are predicted, with a linear map beside it."""
    if not spec.is_forecast:
        return network
    channels, steps = spec.input.shape
    return Corrected(network, channels * steps, spec.output_size)


def pooled(x: Tensor, mask: Tensor, how: str) -> Tensor:
    """(batch, length, width) -> (batch, width): the `mean`, `max` or `last` of what is not masked; 0 where all is."""
    if how == "last":
        return _masked(x, mask).gather(1, _last(mask)[:, None, None].expand(-1, 1, x.shape[2])).squeeze(1)
    if how == "mean":
        return _masked(x, mask).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1).to(x.dtype)
    greatest = torch.where(mask[:, :, None], x, _FAR_BELOW).amax(dim=1)
    return torch.where(mask.any(dim=1, keepdim=True), greatest, 0.0).to(x.dtype)


def turned(x: Tensor, mask: Tensor) -> Tensor:
    """Reverse each row of (batch, length, width) up to its last word; padding stays behind. Twice gives what came."""
    places = torch.arange(x.shape[1], device=x.device)
    last = _last(mask)[:, None]
    order = torch.where(places <= last, last - places, places)
    return x.gather(1, order[:, :, None].expand(-1, -1, x.shape[2]))


def _masked(x: Tensor, mask: Tensor) -> Tensor:
    return x * mask[:, :, None].to(x.dtype)


def _last(mask: Tensor) -> Tensor:
    """Place of each row's last word (batch,); 0 where there is none."""
    return (mask * torch.arange(mask.shape[1], device=mask.device)).amax(dim=1)
