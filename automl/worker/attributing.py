"""Integrated gradients of single predictions: which pixels, steps or words spoke for them. Needs captum and torch.

Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks" (2017, arXiv:1703.01365). What is attributed is the log
probability of the predicted class, or the predicted number, of a forecast the mean over its steps, all as the exported network has
them, an ensemble's mean included.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

STEPS = 32
_NUMBERS_AT_ONCE = 1 << 21
"""Input numbers that go through the network in one step at most; activations are many times that."""
_AVERAGED = 1000
"""Rows that the average one is made of."""


def average_of(inputs: np.ndarray) -> np.ndarray:
    """Return the mean (channels, …) of encoded pictures or series: what one of them is compared with."""
    step = -(-len(inputs) // _AVERAGED)
    return np.asarray(inputs[::step].mean(axis=0), dtype=np.float32)


def picture_attribution(network: nn.Module, picture: np.ndarray, average: np.ndarray, classes: int) -> np.ndarray:
    """(channels, height, width) -> (height, width): what each pixel, being other than the average, adds to the prediction.

    Positive speaks for it, negative against; together they are the prediction less that of the average picture.
    """
    return np.asarray(_from_average(network, picture, average, classes).sum(axis=0))


def series_attribution(
    network: nn.Module, series: np.ndarray, average: np.ndarray, classes: int, channels: int
) -> np.ndarray:
    """(channels, steps) -> (channels, steps): what each step of each channel, being other than the average, adds to the prediction.

    What a last channel beyond `channels` adds, the one that marks gaps, is shared by the others.
    """
    found = _from_average(network, series, average, classes)
    return np.asarray(found[:channels] + found[channels:].sum(axis=0) / channels)


def _from_average(network: nn.Module, row: np.ndarray, average: np.ndarray, classes: int) -> np.ndarray:
    from captum.attr import IntegratedGradients

    given = torch.from_numpy(np.array(row[None], dtype=np.float32))
    found: Tensor = IntegratedGradients(_predicted(network, classes)).attribute(
        given, torch.from_numpy(average[None]), target=_target(network, given, classes), n_steps=STEPS, **_batch(given)
    )
    return np.asarray(found[0].detach().numpy())


def word_attribution(network: nn.Module, codes: np.ndarray, classes: int) -> np.ndarray:
    """(words,) codes -> (words read,): what the vector of each word, being other than padding's, adds to the prediction.

    The gradients are those of every embedding that the network asks for vectors. Where one vector stands for several words in
    a row (the embedding's attribute `span` says for how many), each of them gets its part. Raises ValueError for a network
    that has no vector per word.
    """
    from captum.attr import LayerIntegratedGradients

    given = torch.from_numpy(np.array(codes[None], dtype=np.float32))
    layers = _embeddings(network, given)
    if not layers:
        raise ValueError("the network asks no torch.nn.Embedding for a vector per word")
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Multiple layers provided"
        )  # none of an embedding's input is another's vectors
        method = LayerIntegratedGradients(_predicted(network, classes), layers)
    found: list[Tensor] = method.attribute(
        given, torch.zeros_like(given), target=_target(network, given, classes), n_steps=STEPS, **_batch(given)
    )
    words = np.zeros(len(codes))
    for layer, of_vectors in zip(layers, found, strict=True):
        values = of_vectors[0].sum(dim=-1).detach().numpy()
        span = int(getattr(layer, "span", 1))
        for place in range(span):
            words[place:] += values[: len(values) - place] / span
    return words[: int((codes > 0).sum())]


def _predicted(network: nn.Module, classes: int) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        outputs: Tensor = network(x)
        return outputs.log_softmax(dim=1) if classes else outputs.reshape(len(outputs), -1).mean(dim=1, keepdim=True)

    return forward


def _target(network: nn.Module, given: Tensor, classes: int) -> int:
    with torch.no_grad():
        return int(network(given).argmax(dim=1)) if classes else 0


def _batch(given: Tensor) -> dict[str, int]:
    """As many of the steps at once as memory admits."""
    return {"internal_batch_size": max(1, min(STEPS, _NUMBERS_AT_ONCE // given.numel()))}


def _embeddings(network: nn.Module, codes: Tensor) -> list[nn.Module]:
    """Return those that are asked for a vector per place."""
    asked: list[nn.Module] = []

    def note(layer: nn.Module, given: Any, vectors: Tensor) -> None:
        if vectors.shape[:2] == codes.shape and layer not in asked:
            asked.append(layer)

    hooks = [one.register_forward_hook(note) for one in network.modules() if isinstance(one, nn.Embedding)]
    with torch.no_grad():
        network(codes)
    for hook in hooks:
        hook.remove()
    return asked
