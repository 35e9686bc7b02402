"""Optimisers and schedules by name: what `search_spaces/_training.py` proposes becomes torch objects. Knows no model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import nn

_CUDA_FUSED = {"sgd", "adam", "adamw"}


def constant(progress: float) -> float:
    """The full learning rate throughout."""
    return 1.0


def cosine(progress: float) -> float:
    """From the full rate to zero along half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983, without restarts)."""
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def one_cycle(progress: float, warmup: float = 0.3, start: float = 0.04) -> float:
    """Up from `start` to the full rate during `warmup`, then down to zero, both cosine (Smith and Topin 2018, arXiv:1708.07120)."""
    if progress < warmup:
        return 1.0 - (1.0 - start) * cosine(progress / warmup)
    return cosine((progress - warmup) / (1.0 - warmup))


def coslog4(progress: float) -> float:
    """Four hills, each longer than the one before and down to zero (Holzmüller et al. 2024, arXiv:2407.04491)."""
    return 0.5 * (1.0 - math.cos(2 * math.pi * math.log2(1.0 + 15.0 * progress)))


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": constant,
    "cosine": cosine,
    "one_cycle": one_cycle,
    "coslog4": coslog4,
}
"""Name -> factor on the learning rate at a progress in 0..1 of the whole training."""


def make_optimizer(
    name: str,
    parameters: Iterable[nn.Parameter],
    *,
    lr: float,
    weight_decay: float = 0.0,
    momentum: float = 0.9,
    fused: bool = True,
) -> torch.optim.Optimizer:
    """Build the optimiser `name` over `parameters`; `momentum` is for `sgd` (Nesterov).

    `fused` asks for torch's one-kernel update, which is taken where the parameters' device has it. Raises ValueError for an
    unknown name.
    """
    weights = list(parameters)
    devices = {weight.device.type for weight in weights}
    choices: dict[str, Any] = {
        "lr": lr,
        "weight_decay": weight_decay,
        "fused": fused and (devices == {"cpu"} or (devices == {"cuda"} and name in _CUDA_FUSED)),
    }
    match name:
        case "sgd":
            return torch.optim.SGD(weights, momentum=momentum, nesterov=momentum > 0, **choices)
        case "adam":
            return torch.optim.Adam(weights, **choices)
        case "adamw":
            return torch.optim.AdamW(weights, **choices)
        case "adagrad":
            return torch.optim.Adagrad(weights, **choices)
    raise ValueError(f"optimizer must be sgd, adam, adamw or adagrad, but got {name!r}.")


def balanced(class_rows: Sequence[int], strength: float) -> torch.Tensor:
    """Return (classes,) what a row of each class counts: its class's rarity to the power of `strength`, 1 in the mean over rows.

    With strength 1 that is scikit-learn's `class_weight="balanced"`. A class without rows counts as if it had one.
    """
    rows = torch.tensor(class_rows, dtype=torch.float64).clamp(min=1)
    weights = (rows.sum() / (len(rows) * rows)) ** strength
    return (weights * rows.sum() / (weights * rows).sum()).float()


def mini_batches(order: torch.Tensor, size: int) -> tuple[torch.Tensor, ...]:
    """Split `order` (rows,) into as few even slices of at most `size` rows as it takes, so that no last batch is tiny."""
    return order.tensor_split(max(1, math.ceil(len(order) / size)))
