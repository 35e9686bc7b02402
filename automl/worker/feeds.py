"""Feeds: what training and evaluation consume. Arrays are mapped once per worker and stay on the device; no DataLoader.

Inputs too large for that stay on disk and come in pieces.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from automl.data import KNOWN, Schema, load_fold, load_folds, load_part, load_schema
from automl.messages import DataRef
from automl.tasks.metrics import best_threshold, measure
from lightning_modules._base import Batch, Chunk

HELD_BYTES = 1 << 30
"""Of inputs that stay with the device; more are trained on piece by piece, and the disk is read anew each epoch."""
PIECE_BYTES = 1 << 28
RUN_BYTES = 1 << 22
"""Of neighbouring rows that come into a piece together."""
_SLICE_VALUES = 2**24
"""Input numbers that one slice of an evaluation holds at most: 64 MiB of float32."""
_SLICE_WORDS = 2**19
"""Of texts: a network makes a vector of each word."""
_SLICE_ROWS = 4096
"""Rows of a slice at most: a network makes far more of a row than the row has numbers."""


class Held(NamedTuple):
    """Rows that a model learns from or is measured by."""

    inputs: Tensor
    """(rows, *shape), on the device; or float32 mapped from the disk, where they are too large for it."""
    target: Tensor
    """(rows,), or (rows, horizon) of a forecast; on the device."""
    dtype: torch.dtype | None = None
    """Of inputs as a model takes them; None: as they are."""
    units: np.ndarray | None = None
    """Of a forecast: what each row is told in, see `Schema.units`; stays with the CPU, where predictions are decoded."""

    def batch(self, rows: slice) -> Batch:
        """Some of the rows, on the device."""
        return Batch(self.inputs[rows].to(device=self.target.device, dtype=self.dtype), self.target[rows])


@lru_cache(maxsize=8)
def hold(folder: Path, data: DataRef, part: str, device: torch.device, dtype: torch.dtype) -> Held:
    """Return the rows of a part, see `load_part`; mapped at the first call only. On the CPU all workers share their memory."""
    arrays = load_part(folder, data, part)
    inputs, target = torch.from_numpy(arrays.inputs), torch.from_numpy(arrays.target).to(device)
    if inputs.nbytes <= HELD_BYTES:
        inputs = inputs.to(device, dtype)
    return Held(inputs, target, dtype, arrays.units)


@lru_cache(maxsize=16)
def hold_fold(folder: Path, data: DataRef, fold: int, device: torch.device, dtype: torch.dtype) -> tuple[Held, Held]:
    """Return the training and validation rows that lie outside a fold, and those within it."""
    rows = hold(folder, data, KNOWN, device, dtype)
    if (blind := load_fold(folder, data, fold)) is not None:
        rows = rows._replace(inputs=torch.from_numpy(blind).to(device, dtype))
    inside = torch.from_numpy(np.array(load_folds(folder, data)) == fold).to(device)
    outside, within = (Held(rows.inputs[chosen], rows.target[chosen], dtype) for chosen in (~inside, inside))
    return outside, within


@lru_cache(maxsize=8)
def held_schema(folder: Path, data: DataRef) -> Schema:
    """Return the data's preprocessing; read from disk at the first call only."""
    return load_schema(folder, data)


class TrainingFeed:
    """All rows each epoch, in an order drawn anew from the member's seed: one chunk, or piece by piece where they stay on disk.

    A piece is made of short runs of neighbouring rows from all over the file, and shuffled: prepared rows lie in order of their hash,
    so that a run is as good as drawn, and the disk reads ahead.
    """

    def __init__(self, rows: Held, seed: int) -> None:
        self._rows = rows
        self._generator = torch.Generator().manual_seed(seed)
        self._run = max(1, RUN_BYTES // rows.inputs[0].nbytes)
        is_whole = rows.inputs.nbytes <= HELD_BYTES
        self._pieces = 1 if is_whole else math.ceil(rows.inputs.nbytes / PIECE_BYTES)

    def __len__(self) -> int:
        return self._pieces

    def __iter__(self) -> Iterator[Chunk]:
        if self._pieces == 1:
            yield Chunk(self._rows.inputs, self._rows.target, self._order(len(self._rows.target)))
            return
        runs = torch.randperm(math.ceil(len(self._rows.target) / self._run), generator=self._generator)
        pieces = runs.tensor_split(self._pieces)
        for chosen in pieces:
            found = [self._rows.batch(slice(run * self._run, (run + 1) * self._run)) for run in chosen.tolist()]
            inputs, target = (torch.cat(tensors) for tensors in zip(*found, strict=True))
            yield Chunk(inputs, target, self._order(len(target)), is_last=chosen is pieces[-1])

    def _order(self, rows: int) -> Tensor:
        return torch.randperm(rows, generator=self._generator).to(self._rows.target.device)


class EvaluationFeed:
    """Rows in order, and the metric that steers. Lightning gets the feed itself as its only batch."""

    def __init__(self, rows: Held, schema: Schema, metric: str) -> None:
        self.target = rows.target
        self.predictions: np.ndarray | None = None
        """What was measured last, decoded: probabilities (rows, classes), numbers (rows,) or forecasts (rows, horizon)."""
        self.kind = schema.kind
        self._rows = rows
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
        values = _SLICE_WORDS if self._schema.input_kind == "text" else _SLICE_VALUES
        size = max(1, min(_SLICE_ROWS, values // self._rows.inputs[0].numel()))
        for start in range(0, len(self.target), size):
            yield self._rows.batch(slice(start, start + size))

    def measure(self, outputs: Tensor) -> dict[str, float]:
        """Decode (rows, outputs) and return the steering metric by name, decided by the threshold that these rows suggest."""
        self.predictions = self._schema.decode(outputs.cpu().numpy(), self._rows.units)
        threshold = best_threshold(self._metric, self.measured_target, self.predictions)
        return {self._metric: measure(self._metric, self.measured_target, self.predictions, threshold)}
