"""Building a network from a stranger's parameters without building more than the stranger's weights can fill.

`width: 1000000000` would take all memory, and `depth` likewise all time, before any shape could be compared. Torch tells us of
each tensor and layer as a module registers it, and before it is filled with numbers: there the building is stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor
from torch.nn.modules import module as registry

_SLACK = 4
"""A family may register a tensor or layer more than once while it builds; it may not go far beyond what is stored."""
_LAYERS_PER_TENSOR = 16
_FEW_NUMBERS, _FEW_TENSORS, _FEW_LAYERS = 1 << 20, 1 << 8, 1 << 10
_LARGEST_INTEGER = 1 << 24
"""Of a parameter: a family may make a list of `depth` sizes before its first layer."""


class _Count:
    """Raises ValueError once this thread has registered more than is allowed."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self.numbers = _SLACK * sum(tensor.numel() for tensor in state.values()) + _FEW_NUMBERS
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

    def _spend(self, *, numbers: int = 0, tensors: int = 0, layers: int = 0) -> None:
        if threading.get_ident() != self.thread:
            return
        self.numbers -= numbers
        self.tensors -= tensors
        self.layers -= layers
        if min(self.numbers, self.tensors, self.layers) < 0:
            raise ValueError("its parameters ask for far more than the weights hold")


@contextmanager
def bounded_by(state: Mapping[str, Tensor], params: Mapping[str, Any]) -> Iterator[None]:
    """Let a module be built from `params` in the block, as long as it stays near the size of `state`; else raise ValueError."""
    for name, value in params.items():
        if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
            raise ValueError(f"'{name}' is larger than any model's")
    count = _Count(state)
    hooks = (
        registry.register_module_parameter_registration_hook(count.tensor),
        registry.register_module_buffer_registration_hook(count.tensor),
        registry.register_module_module_registration_hook(count.layer),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
