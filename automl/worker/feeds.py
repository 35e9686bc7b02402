"""Feeds: what training and evaluation consume. Arrays are read once per worker and stay on the device; no DataLoader."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from automl.data import Schema, load_folds, load_part, load_schema
from automl.messages import DataRef
from automl.tasks.metrics import best_threshold, measure
from lightning_modules._base import Batch, Chunk

_SLICE_VALUES = 2**24
"""Input numbers that one slice of an evaluation holds at most: 64 MiB of float32."""
_SLICE_ROWS = 4096
"""Rows of a slice at most: a network makes far more of a row than the row has numbers."""


class Held(NamedTuple):
    """Rows on the device."""

    inputs: Tensor
    """(rows, *shape)"""
    target: Tensor
    """(rows,), or (rows, horizon) of a forecast."""
    units: np.ndarray | None = None
    """Of a forecast: what each row is told in, see `Schema.units`; stays with the CPU, where predictions are decoded."""


@lru_cache(maxsize=8)
def hold(folder: Path, data: DataRef, parts: tuple[str, ...], device: torch.device, dtype: torch.dtype) -> Held:
    """Return the rows of `parts`, joined in that order; read from disk at the first call only."""
    arrays = [load_part(folder, data, part) for part in parts]
    inputs = torch.cat([torch.tensor(part.inputs, dtype=dtype, device=device) for part in arrays])
    units = [np.array(part.units) for part in arrays if part.units is not None]
    target = torch.cat([torch.tensor(part.target, device=device) for part in arrays])
    return Held(inputs, target, np.concatenate(units) if units else None)


@lru_cache(maxsize=16)
def hold_fold(folder: Path, data: DataRef, fold: int, device: torch.device, dtype: torch.dtype) -> tuple[Held, Held]:
    """Return the training and validation rows that lie outside a fold, and those within it."""
    rows = hold(folder, data, ("train", "validation"), device, dtype)
    inside = torch.from_numpy(np.array(load_folds(folder, data)) == fold).to(device)
    return Held(rows.inputs[~inside], rows.target[~inside]), Held(rows.inputs[inside], rows.target[inside])


@lru_cache(maxsize=8)
def held_schema(folder: Path, data: DataRef) -> Schema:
    """Return the data's preprocessing; read from disk at the first call only."""
    return load_schema(folder, data)


class TrainingFeed:
    """One chunk per epoch: all rows, in an order drawn anew from the member's seed."""

    def __init__(self, rows: Held, seed: int) -> None:
        self._rows = rows
        self._generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Chunk]:
        order = torch.randperm(len(self._rows.target), generator=self._generator)
        yield Chunk(self._rows.inputs, self._rows.target, order.to(self._rows.inputs.device))


class EvaluationFeed:
    """Rows in order, and the metric that steers. Lightning gets the feed itself as its only batch."""

    def __init__(self, rows: Held, schema: Schema, metric: str) -> None:
        self.target = rows.target
        self.predictions: np.ndarray | None = None
        """What was measured last, decoded: probabilities (rows, classes), numbers (rows,) or forecasts (rows, horizon)."""
        self.kind = schema.kind
        self._inputs = rows.inputs
        self._units = rows.units
        self._schema = schema
        self._metric = metric
        numbers = rows.target.cpu().numpy()
        self.measured_target = numbers if schema.kind == "classification" else schema.decode(numbers, rows.units)
        """Class indices, or numbers in the target's own units."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[EvaluationFeed]:
        yield self

    def batches(self) -> Iterator[Batch]:
        """All rows at once where they are few, else in slices of bounded memory."""
        size = max(1, min(_SLICE_ROWS, _SLICE_VALUES // self._inputs[0].numel()))
        for inputs, target in zip(self._inputs.split(size), self.target.split(size), strict=True):
            yield Batch(inputs, target)

    def measure(self, outputs: Tensor) -> dict[str, float]:
        """Decode (rows, outputs) and return the steering metric by name, decided by the threshold that these rows suggest."""
        self.predictions = self._schema.decode(outputs.cpu().numpy(), self._units)
        threshold = best_threshold(self._metric, self.measured_target, self.predictions)
        return {self._metric: measure(self._metric, self.measured_target, self.predictions, threshold)}
