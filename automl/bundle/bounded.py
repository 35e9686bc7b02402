"""Building a network from a stranger's parameters without building more than the stranger's weights can fill.

`width: 1000000000` would take all memory, and `depth` likewise all time, before any shape could be compared. Torch tells us of each
call that makes a tensor before it is made, and of each tensor and layer as a module registers it: there the building is stopped.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules import module as registry
from torch.overrides import TorchFunctionMode

_SLACK = 4
"""A family may register a tensor or layer more than once while it builds; it may not go far beyond what is stored."""
_LAYERS_PER_TENSOR = 16
_FEW_NUMBERS, _FEW_TENSORS, _FEW_LAYERS = 5 << 22, 1 << 8, 1 << 10
"""Numbers: 84 MB, for what a family makes anew and does not store, such as the waves of a spectrum of 4096 steps."""
_LARGEST_INTEGER, _LARGEST_FLOAT = 1 << 22, 1e12
"""Of a parameter: a family may make a list of `depth` sizes before its first layer."""
_LONGEST_TEXT, _LONGEST_LIST = 100, 16
"""Of a parameter: text and lists can be multiplied by a number too."""
_SIZED = (torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.randint, torch.randperm)
_MAKERS = (*_SIZED, torch.arange, torch.linspace, torch.logspace)
"""What makes a tensor of numbers alone, and says on the device "meta" how large it would be."""
_SQUARES = (torch.eye, torch.tril_indices, torch.triu_indices)
"""The same of two numbers; "meta" would import half of torch for them."""


class _Count:
    """Raises ValueError once this thread has registered more than is allowed."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self.most = _SLACK * sum(tensor.numel() for tensor in state.values()) + _FEW_NUMBERS
        self.numbers = self.most
        self.tensors = _SLACK * len(state) + _FEW_TENSORS
        self.layers = _LAYERS_PER_TENSOR * len(state) + _FEW_LAYERS
        self.thread = threading.get_ident()  # the hooks are global, and another thread may be building its own

    def tensor(self, owner: Any, name: str, tensor: Any) -> None:
        """Count a parameter or buffer."""
        if tensor is not None:
            self._spend(numbers=tensor.numel(), tensors=1)

    def layer(self, owner: Any, name: str, layer: Any) -> None:
        """Count a submodule."""
        self._spend(layers=1)

    def check(self, numbers: int) -> None:
        """Look at a tensor before it is made; it is counted when it is registered."""
        if numbers > self.most:
            raise ValueError("its parameters ask for far more than the weights hold")

    def _spend(self, *, numbers: int = 0, tensors: int = 0, layers: int = 0) -> None:
        if threading.get_ident() != self.thread:
            return
        self.numbers -= numbers
        self.tensors -= tensors
        self.layers -= layers
        if min(self.numbers, self.tensors, self.layers) < 0:
            raise ValueError("its parameters ask for far more than the weights hold")


class _Foreseen(TorchFunctionMode):
    """Hands the size of each tensor to `check` before it is made: one of numbers alone, or of others that are broadcast."""

    def __init__(self, check: Callable[[int], None]) -> None:
        super().__init__()
        self._check = check

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _MAKERS:
            plain = {name: value for name, value in kwargs.items() if name not in ("device", "generator", "out")}
            self._check(func(*args, **plain, device="meta").numel())
        elif func in _SQUARES:
            self._check(2 * math.prod(value for value in args if isinstance(value, int)))
        elif len(shapes := [one.shape for one in args if isinstance(one, Tensor)]) > 1:
            with suppress(RuntimeError):  # they are not broadcast
                self._check(math.prod(torch.broadcast_shapes(*shapes)))
        return func(*args, **kwargs)


@contextmanager
def bounded_by(state: Mapping[str, Tensor], params: Mapping[str, Any]) -> Iterator[None]:
    """Let a module be built from `params` in the block, as long as it stays near the size of `state`; else raise ValueError."""
    for name, value in params.items():
        if not _is_small(value):
            raise ValueError(f"'{name}' is larger than any model's")
    count = _Count(state)
    hooks = (
        registry.register_module_parameter_registration_hook(count.tensor),
        registry.register_module_buffer_registration_hook(count.tensor),
        registry.register_module_module_registration_hook(count.layer),
    )
    try:
        with _Foreseen(count.check):
            yield
    finally:
        for hook in hooks:
            hook.remove()


def _is_small(value: Any) -> bool:
    match value:
        case int():
            return abs(value) <= _LARGEST_INTEGER
        case float():
            return abs(value) <= _LARGEST_FLOAT
        case str():
            return len(value) <= _LONGEST_TEXT
        case list() | tuple():
            return len(value) <= _LONGEST_LIST and all(map(_is_small, value))
        case dict():
            return len(value) <= _LONGEST_LIST and all(map(_is_small, (*value.keys(), *value.values())))
    return value is None
