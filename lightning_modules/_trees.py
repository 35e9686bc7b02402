"""Decision trees as tensors, and the walk through them in plain torch, which `torch.export` and ONNX take. Grows none."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

MOST_CODES = 255
"""A category of more codes than scikit-learn has bins is split like a number."""
_BITS = 16
"""Codes per word of a set; a power of two well inside int32, so that no shift meets the sign."""

_DEEPEST = 256
"""A walk takes as many steps, whatever the tree: a stranger's model of a million would never answer."""


class Tree(NamedTuple):
    """One grown tree in numpy, node 0 its root."""

    feature: np.ndarray
    """(nodes,) which feature a node asks; 0 at a leaf."""
    threshold: np.ndarray
    """(nodes,) float64: up to it a number goes left; unused where `codes` decide."""
    children: np.ndarray
    """(nodes, 2) left and right; a leaf names itself twice."""
    value: np.ndarray
    """(nodes,) what a leaf adds."""
    categorical: np.ndarray
    """(nodes,) bool: the node asks for a category."""
    codes: np.ndarray
    """(nodes, 256) bool: codes of a category that go left."""


class Trees(nn.Module):
    """The sum of all trees, a fixed number of them with room for a fixed number of nodes: shapes depend on no data.

    A place without a tree adds nothing. Every walk takes `depth` steps; it stands still at a leaf.
    """

    feature: Tensor
    threshold: Tensor
    below: Tensor
    value: Tensor
    codes: Tensor
    base: Tensor

    def __init__(
        self, *, rounds: int, classes: int, max_leaf_nodes: int, max_depth: int, cardinalities: tuple[int, ...] = ()
    ) -> None:
        """A round has one tree for numbers (`classes` 0) and two classes, else one per class. Raises ValueError for trees too deep."""
        super().__init__()
        if max_depth > _DEEPEST:
            raise ValueError(f"max_depth must be at most {_DEEPEST}, but got {max_depth}.")
        self.rounds = rounds
        self.classes = classes
        self.per_round = trees_per_round(classes)
        self.depth = max_depth
        self.size = 2 * min(max_leaf_nodes, 2**max_depth) - 1
        self.words = -(-max((n for n in cardinalities if n <= MOST_CODES), default=0) // _BITS)
        nodes = rounds * self.per_round * self.size
        # Registered first and filled then: a stranger's `rounds` is stopped at the registration (automl/bundle/bounded.py).
        self.register_buffer("feature", torch.empty(nodes, dtype=torch.int32))
        self.register_buffer("threshold", torch.empty(nodes))
        self.register_buffer("below", torch.empty(2 * nodes, dtype=torch.int32))
        self.register_buffer("value", torch.empty(nodes))
        self.register_buffer("codes", torch.empty(nodes * self.words, dtype=torch.int32))
        self.register_buffer("base", torch.empty(self.per_round))
        self.clear()

    def clear(self) -> None:
        """Take every tree away: each node is a leaf that adds nothing."""
        for buffer in (self.feature, self.threshold, self.value, self.codes, self.base):
            buffer.zero_()
        self.below.copy_(torch.arange(len(self.below), device=self.below.device) // 2)

    def put(self, place: int, tree: Tree) -> None:
        """Write `tree` at `place`, which counts the trees of one round before those of the next."""
        start = place * self.size
        here, device = slice(start, start + len(tree.feature)), self.value.device
        threshold = np.where(tree.categorical, -1.0, tree.threshold)  # every code lies above -1: its set alone decides
        self.feature[here] = torch.as_tensor(tree.feature, dtype=torch.int32, device=device)
        self.threshold[here] = _not_above(torch.as_tensor(threshold), self.threshold.dtype).to(device)
        self.below[2 * here.start : 2 * here.stop] = torch.as_tensor(
            tree.children.ravel() + start, dtype=torch.int32, device=device
        )
        self.value[here] = torch.as_tensor(tree.value, dtype=self.value.dtype, device=device)
        if self.words:
            words = _as_words(tree.codes, self.words).ravel()
            self.codes[self.words * here.start : self.words * here.stop] = torch.as_tensor(words, device=device)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits or numbers (batch, outputs) for encoded inputs (batch, *shape)."""
        return self.outputs(self.scores(x, 0, self.rounds))

    def scores(self, x: Tensor, begin: int, end: int) -> Tensor:
        """Return what the rounds from `begin` up to `end` add together, (batch, trees per round)."""
        x = x.flatten(1)
        trees = (end - begin) * self.per_round
        # One flat index and index_select: half the time of indexing by (batch, trees), and ONNX knows it as Gather.
        feature, below = self.feature.long(), self.below.long()
        roots = self.size * torch.arange(begin * self.per_round, end * self.per_round, device=x.device)
        node = roots.repeat(x.shape[0])  # (batch * trees,), as is everything below
        for _ in range(self.depth):
            value = x.gather(1, feature.index_select(0, node).reshape(-1, trees)).flatten()
            goes_right = value > self.threshold.index_select(0, node)
            if self.words:
                goes_right = goes_right & ~self._is_in_set(node, value)
            node = below.index_select(0, 2 * node + goes_right.long())
        values = self.value.index_select(0, node).float()
        return values.reshape(-1, end - begin, self.per_round).sum(dim=1)

    def outputs(self, scores: Tensor) -> Tensor:
        """Return logits or numbers (batch, outputs) for summed scores (batch, trees per round)."""
        scores = scores + self.base
        return torch.cat((torch.zeros_like(scores), scores), dim=1) if self.classes == 2 else scores

    def _is_in_set(self, node: Tensor, value: Tensor) -> Tensor:
        """Whether a node's set holds the code; a node that asks for a number has an empty set."""
        code = value.clamp(0, _BITS * self.words - 1).long()
        word = self.codes.index_select(0, self.words * node + code // _BITS)
        return torch.bitwise_and(word, torch.bitwise_left_shift(torch.ones_like(word), (code % _BITS).int())) != 0


def trees_per_round(classes: int) -> int:
    """One for numbers and for two classes, else one per class."""
    return classes if classes > 2 else 1


def _not_above(numbers: Tensor, dtype: torch.dtype) -> Tensor:
    """Round float64 down to `dtype`, so that each number of that type compares with both alike."""
    rounded = numbers.to(dtype)
    down = torch.nextafter(rounded, torch.full_like(rounded, -torch.inf))
    return torch.where(rounded.double() > numbers, down, rounded)


def _as_words(codes: np.ndarray, words: int) -> np.ndarray:
    """Pack (nodes, codes) bool into (nodes, words) int32 of `_BITS` bits each."""
    bits = codes[:, : _BITS * words].reshape(len(codes), words, _BITS)
    return (bits << np.arange(_BITS)).sum(axis=2).astype(np.int32)
