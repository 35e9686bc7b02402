"""What all families share: the training step, evaluation and export. Knows no task, no search and no files.

A family derives from `FamilyModule`, builds `self.network` in `__init__`, and overrides only what it does differently.

Without training it is a torch module like any other, so that a prediction does not wait seconds for Lightning; `_lightning.trainable`
puts the `LightningModule` behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._training import SCHEDULES, balanced, make_optimizer, mini_batches

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule
    from pytorch_lightning.core.optimizer import LightningOptimizer
else:
    LightningModule = nn.Module


class Batch(NamedTuple):
    """Encoded rows on the device."""

    inputs: Tensor
    """(batch, *shape)"""
    target: Tensor
    """(batch,) int64 class indices, or standardised numbers; of forecasts (batch, horizon), NaN where one is missing."""


class Chunk(NamedTuple):
    """What one training step is handed: arrays that stay where they are, and the rows to visit in turn."""

    inputs: Tensor
    """(rows, *shape)"""
    target: Tensor
    """(rows,)"""
    order: Tensor
    """(visited,) int64 row indices."""
    is_last: bool = True
    """Whether the epoch ends with it; rows too many for the device come in several."""


class Feed(Protocol):
    """What `evaluate` reads: rows in order, and the task's measure of outputs for all of them."""

    target: Tensor
    """(rows,)"""

    def batches(self) -> Iterator[Batch]:
        """All rows in order, in slices as large as memory allows."""

    def measure(self, outputs: Tensor) -> dict[str, float]:
        """Metrics of (rows, outputs) by name."""


class FamilyModule(LightningModule):
    """Base of all families.

    The worker's trainer calls, in this order: `__init__`, `configure_optimizers`, then per epoch `training_step` (which asks
    `losses` for each mini-batch) and `validation_step` (which asks `evaluate`). Export calls `exported` on the best weights.
    Parameters below are the keys of `search_spaces/_training.py`.
    """

    network: nn.Module
    """Encoded inputs (batch, *shape) -> logits or numbers (batch, outputs)."""

    def __init__(
        self,
        spec: Any,
        *,
        optimizer: str = "adamw",
        lr: float = 1e-3,
        schedule: str = "constant",
        weight_decay: float = 1e-4,
        momentum: float = 0.9,
        batch_size: int = 128,
        label_smoothing: float = 0.0,
        clip: float = 1.0,
        class_balance: float = 0.0,
    ) -> None:
        """`batch_size` is an upper limit: an epoch has at least eight steps. `clip` bounds the gradient's norm; 0 does not.

        `class_balance` is how far training makes up for uneven classes: 0 counts every row once, 1 every class as much as another.
        """
        super().__init__()
        self.automatic_optimization = False
        self.spec = spec
        self.training_choices = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum}
        self.optimizer_name = optimizer
        self.schedule = SCHEDULES[schedule]
        self.batch_size = min(batch_size, max(1, spec.rows // 8))
        self.label_smoothing = label_smoothing
        self.clip = clip
        self.class_weights: Tensor | None
        """(classes,) what a training row of a class counts; None where all count the same."""
        weights = balanced(spec.class_rows, class_balance) if class_balance and spec.classes else None
        self.register_buffer("class_weights", weights, persistent=False)  # moves with the module; is no part of a model
        self.is_wanted: Callable[[], bool] = lambda: True
        """Asked after each mini-batch; False ends the chunk. The worker sets it."""
        self.training_loss = 0.0
        """Mean over the last chunk's mini-batches."""
        self.values: dict[str, float] = {}
        """What the last validation returned."""

    def forward(self, x: Tensor) -> Tensor:
        """Return logits or numbers (batch, outputs) for encoded inputs (batch, *shape)."""
        outputs: Tensor = self.network(x)
        return outputs

    def losses(self, batch: Batch, step: int) -> Iterable[Tensor]:
        """Yield one loss per optimiser, in the order of `configure_optimizers`; each is stepped before the next is asked for.

        `step` counts optimiser steps since training began.
        """
        yield self.descended(self(batch.inputs), batch.target)

    def loss(self, outputs: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
        """Return the mean loss of outputs (rows, outputs): cross entropy, or the squared or absolute error of standardised numbers."""
        if self.spec.loss == "cross_entropy":
            return F.cross_entropy(outputs, target, label_smoothing=smoothing)
        error = F.l1_loss if self.spec.loss == "mae" else F.mse_loss
        if target.ndim == 1:
            return error(outputs.squeeze(-1), target.to(outputs.dtype))
        known = ~target.isnan()  # a forecast's step may be missing
        errors = error(outputs, target.nan_to_num().to(outputs.dtype), reduction="none")
        return torch.where(known, errors, 0.0).sum() / known.sum().clamp(min=1)

    def descended(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Return the loss that training lowers: `loss` with smoothed labels, and each row counted as much as its class."""
        if self.class_weights is None:
            return self.loss(outputs, target, smoothing=self.label_smoothing)
        # Not torch's `weight`: that would weigh a smoothed label's share in every class, and pull all rows to the rarest one.
        losses = F.cross_entropy(outputs, target, label_smoothing=self.label_smoothing, reduction="none")
        return (losses * self.class_weights[target]).mean()

    def configure_optimizers(self) -> torch.optim.Optimizer | list[torch.optim.Optimizer]:
        """Return the optimiser, or several for as many losses."""
        # A gradient scaler (16-mixed) must unscale before we clip, and cannot do so around a fused update.
        return make_optimizer(self.optimizer_name, self.parameters(), fused=not self._scales, **self.training_choices)

    def evaluate(self, feed: Feed) -> dict[str, float]:
        """Return `loss` and the task's metrics over `feed`, by name; called in eval mode, without gradients."""
        outputs = torch.cat([self(batch.inputs) for batch in feed.batches()]).float()  # (rows, outputs)
        return {"loss": self.loss(outputs, feed.target).item(), **feed.measure(outputs)}

    def exported(self) -> nn.Module:
        """Return the plain module that maps encoded inputs to logits or numbers; without Lightning, for export."""
        return self.network

    def training_step(self, chunk: Chunk, batch_idx: int) -> None:
        """Walk the chunk's mini-batches, so that Lightning's cost of 0.3 ms is paid once per chunk and not per batch."""
        optimizers = self._optimizers()
        slices = mini_batches(chunk.order, self.batch_size)
        total, count = torch.zeros((), device=self.device), 0
        for rows in slices:
            self._set_rates(optimizers, batch_idx + count / len(slices))
            batch = Batch(chunk.inputs[rows], chunk.target[rows])
            for loss, optimizer in zip(self.losses(batch, self.global_step), optimizers, strict=True):
                self._descend(loss, optimizer)
                total += loss.detach()
            count += 1
            if not self.is_wanted():
                break
        self.training_loss = total.item() / count

    def validation_step(self, feed: Feed, batch_idx: int) -> None:
        """Evaluate the whole feed: it is Lightning's only validation batch."""
        self.values = self.evaluate(feed)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Clip the gradients, which are unscaled by now whatever the precision."""
        if self.clip > 0:
            parameters = (parameter for group in optimizer.param_groups for parameter in group["params"])
            nn.utils.clip_grad_norm_(parameters, self.clip)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Return the batch as it is: feeds hold their arrays on the device."""
        return batch

    @property
    def _scales(self) -> bool:
        return getattr(self.trainer.precision_plugin, "scaler", None) is not None

    def _optimizers(self) -> list[LightningOptimizer]:
        wrapped = self.optimizers()
        return wrapped if isinstance(wrapped, list) else [wrapped]

    def _set_rates(self, optimizers: list[LightningOptimizer], chunks: float) -> None:
        """Set the schedule's rate; `chunks` counts from the epoch's begin. No scheduler object: those cost more than the sum."""
        epochs = self.current_epoch + chunks / self.trainer.num_training_batches
        factor = self.schedule(min(1.0, epochs / (self.trainer.max_epochs or 1)))
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = factor * group.setdefault("initial_lr", group["lr"])

    def _descend(self, loss: Tensor, optimizer: LightningOptimizer) -> None:
        optimizer.zero_grad()
        if self._scales:
            self.manual_backward(loss)
            optimizer.step()
            return
        # What the two calls above come to without a scaler, less a tenth of a small model's time: `_on_after_step` counts
        # Lightning's global step.
        loss.backward()
        self.on_before_optimizer_step(optimizer.optimizer)
        optimizer._on_before_step()
        optimizer.optimizer.step()
        optimizer._on_after_step()
