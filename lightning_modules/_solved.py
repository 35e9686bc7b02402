"""Linear layers that are solved instead of descended, on features of a row that training leaves alone. Knows no family.

An epoch is a step along the path of penalties from strong to weak (Friedman et al. 2010, "Regularization Paths for Generalized Linear
Models via Coordinate Descent", J. Stat. Softw. 33), solved to its end: so the best epoch is the best penalty, and stopping,
folds and the confirmed number of epochs choose it as they choose how long a network learns.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ._base import Chunk, FamilyModule, Feed

_STRONGEST, _WEAKEST = 1.0, 1e-6
"""Penalties at the path's ends, where features have unit variance and a row's squares add up to 1."""
_MOST_NUMBERS, _MOST_PRODUCTS = 1 << 25, 1 << 29
"""Features of all rows together that are learned from, 128 MiB, and these times outputs. Of more rows some are drawn."""
_ROWS_AT_ONCE = 256
_ROUNDS, _STEPS = 12, 5
"""Of the solver for one penalty; asked after each round whether to go on."""
_SETTLED = 1e-3
"""Relative change of the loss in a round that is no progress: the next penalty goes on from there."""
_STILL = 1e-6
"""A feature that varies less says nothing."""


class Features(nn.Module):
    """What is read of a row: (batch, *shape) -> (batch, width). Some must see rows first."""

    width: int

    def fit(self, inputs: Tensor) -> None:
        """Look at training rows (rows, *shape), once and before all else."""


class Read(nn.Module):
    """A linear layer on features."""

    features: Features
    linear: nn.Linear

    def __init__(self, features: Features, outputs: int) -> None:
        super().__init__()
        self.features = features
        self.linear = nn.Linear(features.width, outputs).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, *shape) -> (batch, outputs)."""
        outputs: Tensor = self.linear(self.features(x))
        return outputs


class SolvedModule(FamilyModule):
    """A family derives from it and hands over its features; there is no optimiser."""

    network: Read

    def __init__(self, spec: Any, features: Features, *, class_balance: float = 0.0) -> None:
        super().__init__(spec, class_balance=class_balance)
        self.network = Read(features, spec.output_size)
        self._path: Path | None = None
        self._epochs = 0
        self._evaluated: tuple[Feed | None, Tensor] = (None, torch.empty(0))

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Nothing descends."""
        return []

    def training_step(self, chunk: Chunk, batch_idx: int) -> None:
        """Solve for this epoch's penalty. Of rows that come piece by piece the first piece is learned from: they lie in no order."""
        if batch_idx > 0:
            return
        with torch.autocast(chunk.inputs.device.type, enabled=False):
            if self._path is None:
                self._path = self._begin(chunk)
            share = min(1.0, self._epochs / max(1, self.spec.max_resource - 1))
            weight, bias, self.training_loss = self._path.solve(_STRONGEST * (_WEAKEST / _STRONGEST) ** share)
        self._epochs += 1
        self.network.linear.weight.copy_(weight)
        self.network.linear.bias.copy_(bias)

    def evaluate(self, feed: Feed) -> dict[str, float]:
        """Read the rows' features at the first epoch only, unless they are too many to be kept."""
        if len(feed.target) * self.network.features.width > _MOST_NUMBERS:
            return super().evaluate(feed)
        if self._evaluated[0] is not feed:
            rows = (part for batch in feed.batches() for part in batch.inputs.split(_ROWS_AT_ONCE))
            self._evaluated = feed, torch.cat([self.network.features(part) for part in rows])
        outputs = self.network.linear(self._evaluated[1]).float()
        return {"loss": self.loss(outputs, feed.target).item(), **feed.measure(outputs)}

    def forward(self, x: Tensor) -> Tensor:
        """Return logits or numbers (batch, outputs) for encoded inputs (batch, *shape)."""
        outputs = [self.network(rows) for rows in x.split(_ROWS_AT_ONCE)]
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs)

    @torch.no_grad()
    def _begin(self, chunk: Chunk) -> Path:
        """Read the training rows' features; where time runs out, of as many as were read by then."""
        features = self.network.features
        most = min(_MOST_NUMBERS, _MOST_PRODUCTS // self.spec.output_size) // features.width
        order = chunk.order[: max(1, most)].sort().values
        features.fit(chunk.inputs[order])
        order = order[torch.randperm(len(order)).to(order.device)]
        found: list[Tensor] = []
        for rows in order.split(_ROWS_AT_ONCE):
            found.append(features(chunk.inputs[rows]).float())
            if not self.is_wanted():
                break
        target = chunk.target[order[: sum(map(len, found))]]
        return Path(
            torch.cat(found), lambda outputs: self.descended(outputs, target), self._first(target), self.is_wanted
        )

    def _first(self, target: Tensor) -> Tensor:
        """(outputs,) what is said of a row of which nothing is known: logarithms of the classes' shares, or the mean."""
        if self.spec.classes:
            shares = torch.bincount(target, minlength=self.spec.classes) + 1.0
            return (shares / shares.sum()).log()
        return target.float().reshape(len(target), -1).nanmean(dim=0).nan_to_num()


class Path:
    """Rows of features, and the solution at the penalty that was asked for last, from which the next one starts.

    Features are told in the directions in which they vary, each over the curvature that it has there: in these terms the squared
    error is solved in one step, and any other loss in a few (L-BFGS; Liu and Nocedal 1989, Math. Program. 45).
    """

    def __init__(
        self, features: Tensor, loss: Callable[[Tensor], Tensor], first: Tensor, is_wanted: Callable[[], bool]
    ) -> None:
        """`features` (rows, width) are overwritten; `loss` is the mean one of outputs (rows, outputs); the bias begins at `first`."""
        self._loss, self._is_wanted = loss, is_wanted
        self._mean = features.mean(dim=0)
        features -= self._mean
        spread = features.square().mean(dim=0).sqrt()
        self._scale = torch.where(spread > _STILL, spread, math.inf) * math.sqrt(features.shape[1])
        features /= self._scale
        self._rows, self._directions, self._curvature = _turned(features)
        self._weight = features.new_zeros(self._rows.shape[1], len(first))
        self._bias = first.to(features.dtype, copy=True)

    def solve(self, penalty: float) -> tuple[Tensor, Tensor, float]:
        """Return weight (outputs, width) and bias (outputs,) for features as they came, and the loss."""
        steps = (self._curvature + penalty).rsqrt()[:, None]
        weight = (self._weight / steps).requires_grad_()
        bias = self._bias.requires_grad_()
        solver = torch.optim.LBFGS(
            [weight, bias], max_iter=_STEPS, history_size=_ROUNDS * _STEPS, line_search_fn="strong_wolfe"
        )
        losses = [0.0]

        def closure() -> Tensor:
            solver.zero_grad()
            turned = steps * weight
            loss = self._loss(self._rows @ turned + bias)
            losses[0] = loss.item()
            total = loss + penalty * turned.square().sum() / turned.shape[1]
            total.backward()
            return total.detach()

        with torch.enable_grad():
            before = math.inf
            for _ in range(_ROUNDS):
                total = solver.step(closure).item()  # of the first point in the round
                if before - total <= _SETTLED * abs(total) or not self._is_wanted():
                    break
                before = total
        self._weight, self._bias = (steps * weight).detach(), bias.detach()
        found = (self._directions @ self._weight / self._scale[:, None]).T
        return found, self._bias - found @ self._mean, losses[0]


def _turned(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(rows, width) -> rows in directions without correlation, the directions (width, directions), and each one's mean square."""
    count, width = features.shape
    exact = features.double()
    squares, vectors = torch.linalg.eigh(exact @ exact.T if width > count else exact.T @ exact)
    kept = squares > 1e-10 * squares[-1].clamp(min=1e-30)
    squares, vectors = squares[kept], vectors[:, kept]
    directions = exact.T @ (vectors * squares.rsqrt()) if width > count else vectors
    return features @ directions.float(), directions.float(), (squares / count).float()
