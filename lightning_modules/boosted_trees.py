"""Gradient boosted decision trees for tables and vectors. Their search space is `search_spaces/boosted_trees.py`.

Trees are grown, not descended: there is no gradient and no optimiser, and an epoch is a few rounds more. What is kept of them is
tensors, so that weights, bundle and export are those of any network; scikit-learn is needed to grow them, not to predict.
"""

from __future__ import annotations

import importlib
import math
from typing import Any

import torch
from torch import Tensor

from ._base import Chunk, FamilyModule, Feed
from ._boosting import Boosting
from ._trees import Trees

_SLICE = 4096
"""Rows that walk all trees at a time: every step holds a few numbers per row and tree."""


class Module(FamilyModule):
    """Histogram gradient boosting (Ke et al. 2017, "LightGBM", NeurIPS), categories split by sets of codes."""

    network: Trees
    seed: Tensor

    def __init__(
        self,
        spec: Any,
        *,
        rounds: int,
        lr: float,
        max_leaf_nodes: int,
        max_depth: int,
        min_samples_leaf: int,
        l2_regularization: float,
        max_features: float,
        rows: float,
        class_balance: float = 0.0,
    ) -> None:
        """`rounds` fill all of `spec.max_resource` epochs; a tree sees the share `rows`, a split the share `max_features`."""
        super().__init__(spec, class_balance=class_balance)
        self.choices: dict[str, Any] = {
            "lr": lr,
            "max_leaf_nodes": max_leaf_nodes,
            "max_depth": max_depth,
            "min_samples_leaf": min_samples_leaf,
            "l2_regularization": l2_regularization,
            "max_features": max_features,
            "rows": rows,
        }
        self.network = Trees(
            rounds=rounds,
            classes=spec.classes,
            max_leaf_nodes=max_leaf_nodes,
            max_depth=max_depth,
            cardinalities=spec.input.cardinalities,
        )
        self.register_buffer("seed", torch.randint(2**31, ()))  # of all draws: the trees repeat with torch's generator
        self._boosting: Boosting | None = None
        self._table: Tensor | None = None
        self._epochs = self._grown = 0
        self._evaluated: tuple[Feed | None, int, Tensor] = (None, 0, torch.zeros(()))

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Nothing descends; but scikit-learn is loaded here, before the time of the fit is counted: it takes one to four seconds."""
        importlib.import_module("sklearn.ensemble")
        return []

    def training_step(self, chunk: Chunk, batch_idx: int) -> None:
        """Grow this epoch's share of the rounds on all its rows, and ask after each round whether to go on."""
        boosting = self._with_rows(chunk, batch_idx)
        if not chunk.is_last:
            return
        self._epochs += 1
        share = min(1.0, self._epochs / self.spec.max_resource)
        for _ in range(self._grown, math.ceil(share * self.network.rounds)):
            for place, tree in enumerate(boosting.grow(**self.choices)):
                self.network.put(self._grown * self.network.per_round + place, tree)
            self._grown += 1
            if not self.is_wanted():
                break
        outputs = self.network.outputs(torch.from_numpy(boosting.scores - boosting.base).to(self.device).float())
        self.training_loss = self.loss(outputs, torch.from_numpy(boosting.target).to(self.device)).item()

    def evaluate(self, feed: Feed) -> dict[str, float]:
        """Add what the rounds since the last call say: all trees anew at every epoch would cost more than growing them."""
        last, begin, scores = self._evaluated
        end = self._grown if self._boosting else self.network.rounds
        if last is not feed:
            begin, scores = 0, torch.zeros(())
        rows = (part for batch in feed.batches() for part in batch.inputs.split(_SLICE))
        scores = scores + torch.cat([self.network.scores(part, begin, end) for part in rows])
        self._evaluated = feed, end, scores
        outputs = self.network.outputs(scores)
        return {"loss": self.loss(outputs, feed.target).item(), **feed.measure(outputs)}

    def _with_rows(self, chunk: Chunk, batch_idx: int) -> Boosting:
        """Bin the rows when they first come; a table that comes whole and is another one starts anew."""
        is_whole = chunk.is_last and batch_idx == 0
        is_other = is_whole and self._table is not chunk.inputs
        if self._boosting is None or is_other:
            self._boosting = Boosting(
                loss=self.spec.loss,
                classes=self.spec.classes,
                cardinalities=self.spec.input.cardinalities,
                seed=int(self.seed),
                class_weights=None if self.class_weights is None else self.class_weights.double().cpu().numpy(),
            )
            self._table = chunk.inputs if is_whole else None
            self._epochs = self._grown = 0
            self._evaluated = (None, 0, torch.zeros(()))
            self.network.clear()
        if not self._boosting.is_complete:
            order = (
                chunk.order.sort().values
            )  # as trees see no order, one that repeats keeps them the same to the last bit
            self._boosting.add(
                chunk.inputs.flatten(1)[order].float().cpu().numpy(),
                chunk.target[order].cpu().numpy(),
                is_last=chunk.is_last,
            )
            if chunk.is_last:
                self.network.base.copy_(torch.from_numpy(self._boosting.base))
        return self._boosting
